#!/usr/bin/perl

# What a start does with the files it finds: a torn end is left out, a corrupt
# file is set aside whole, the clock goes on, two nginx do no harm.

use FindBin;
use lib "$FindBin::Bin/lib";

use Compress::Zlib ();
use Duplex::Test;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store %%DIR%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.1:1;
        server 127.0.0.1:2;
        server 127.0.0.1:3;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC

my $node = Duplex::Node->new(name => 'a', conf => $CONF,
                             vars => { DIR => '%%PREFIX%%/state/journal/' });
my $dir = $node->prefix() . '/state/journal';

$node->start();
$node->patch_peer('app', "127.0.0.1:$_", { down => true }) for 1 .. 3;
$node->kill9();

my $whole = content();
my @ends = ends($whole);
my $last = $ends[-1] - $ends[-2];

# the last entry, cut at its first byte, in the middle, before its last one

for my $n (1, int($last / 2), $last - 1) {
    my $mark = restart(substr($whole, 0, $ends[-2] + $n));

    is(states(), 'down down up', "torn after $n bytes: the others are there");
    is(scalar(my @lines = $node->grep_log(
        qr/\[notice\] .*: $n bytes at the end of "\S+" were not written/,
        $mark)), 1, 'and it is said once');
}

# what a machine leaves behind that lost its power

restart(substr($whole, 0, $ends[-2]) . "\0" x 100);
is(states(), 'down down up', 'zeroes at the end');

restart('');
is(states(), 'up up up', 'an empty file');

restart(substr($whole, 0, 5));
is(states(), 'up up up', 'half a header');

# corrupt: nothing of it, one line, and the file is kept

for my $at ($ends[-2] - 10, $ends[0] + 5, $ends[-3] + 2, 3, 12) {
    my $bad = $whole;
    substr($bad, $at, 1) = chr(ord(substr($bad, $at, 1)) ^ 1);

    $node->expect_log(qr/\[alert\] .* is corrupt at byte \d+: the journal is/);

    my $mark = restart($bad);

    is(states(), 'up up up', "a wrong bit in byte $at: nothing is loaded");
    is(scalar(my @lines = $node->grep_log(qr/\[alert\]/, $mark)), 1,
       'one alert');

    my ($aside) = glob "$dir/*.bad";
    is(read_file($aside), $bad, 'the file is set aside as it was');
    unlink $aside;
}

# two files, as a death during a replacement leaves them: the later one wins,
# whatever the order

$node->patch_peer('app', '127.0.0.1:1', { drain => true });
$node->kill9();

my $later = content();

unlink glob "$dir/journal.*";
write_file('journal.7', $whole);
write_file('journal.8', $later);
$node->start();
is(states(), 'draining down down', 'two files: the later change counts');
$node->kill9();

unlink glob "$dir/journal.*";
write_file('journal.8', $whole);
write_file('journal.7', $later);
$node->start();
is(states(), 'draining down down', 'also when it is in the lower file');
is(scalar(my @files = glob "$dir/journal.*"), 1, 'one file took over');

# an hour ahead: what was reserved before is not given out again

my $hour = (int(time() * 1000) + 3600_000) << 16;

restart($whole . entry(pack 'CQ>', 2, $hour));
$node->patch_peer('app', '127.0.0.1:1', { down => false });
is(states(), 'up down down', 'a change with a clock that is an hour ahead');
$node->kill9();

my @times = times_of(content());
ok((grep { $_ > $hour } @times), 'its time is later than the reserved one');

$node->start();
is(states(), 'up down down', 'and it wins over what was before');

# a second nginx in the same directory

my $second = Duplex::Node->new(name => 'second', conf => $CONF,
                               vars => { DIR => $dir });

$second->expect_log(qr/\[alert\] .* is in use by another nginx/);
$second->start();
$second->patch_peer('app', '127.0.0.1:3', { drain => true });
$node->patch_peer('app', '127.0.0.1:2', { drain => true });

my ($ok, $text) = $node->test_config();
ok($ok, 'nginx -t says nothing of the one that runs') or diag($text);

$second->kill9();
$node->kill9();
$node->start();
is(states(), 'up draining draining', 'what either wrote is there');

done_testing();


# starts with this as the only file; the place in the log where that began
sub restart {
    my ($content) = @_;

    $node->kill9() if $node->is_running();
    unlink glob "$dir/journal.*";
    write_file('journal.5', $content);

    my $mark = $node->mark();
    $node->start();

    return $mark;
}


sub states {
    my $peers = $node->peers('app');
    return join ' ', map { $peers->{"127.0.0.1:$_"}{state} } 1 .. 3;
}


sub content {
    my @files = glob "$dir/journal.*";
    is(scalar(@files), 1, 'one file');
    return read_file($files[0]);
}


sub read_file {
    open(my $f, '<:raw', $_[0]) or die "$_[0]: $!\n";
    local $/;
    return <$f>;
}


sub write_file {
    my ($name, $content) = @_;

    open(my $f, '>:raw', "$dir/$name") or die "$dir/$name: $!\n";
    print $f $content;
    close($f);
    chown +(stat $dir)[4, 5], "$dir/$name";
}


# where the header and each entry ends
sub ends {
    my ($content) = @_;

    my $at = 11 + ord(substr($content, 10, 1)) + 4;
    my @ends = $at;

    while ($at < length $content) {
        $at += 12 + unpack('x4 N', substr($content, $at, 8));
        push @ends, $at;
    }

    return @ends;
}


# of the records
sub times_of {
    my ($content) = @_;
    my @ends = ends($content);

    return map { unpack 'x6 Q>', substr($content, $_ + 12, 14) }
           grep { ord(substr($content, $_ + 12, 1)) == 1 }
           @ends[0 .. $#ends - 1];
}


sub entry {
    my ($body) = @_;
    my $len = pack('N', length $body);

    return pack('N', 0xd09e7a11) . $len
         . pack('N', Compress::Zlib::crc32($len . $body)) . $body;
}
