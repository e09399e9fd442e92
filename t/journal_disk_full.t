#!/usr/bin/perl

# A full disk: a change is in force, and its answer says that a restart would
# lose it; one line in the log; all is written when there is room again.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store small/journal;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.1:1;
        server 127.0.0.1:2;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC

my $small = $node->prefix() . '/small';

mkdir $small;

my $said = `mount -t tmpfs -o size=64k,mode=755 none $small 2>&1`;
my $mounted = $? == 0;

plan(skip_all => "no small file system: $said") if !$mounted;

$node->start();
$node->patch_peer('app', '127.0.0.1:1', { down => true });

fill();

my $path = '/api/9/http/upstreams/app/servers/0';
my ($status, $data, $state);

# what there is left of the last block takes some more

for my $i (1 .. 500) {
    ($status, $data) = $node->api_patch($path, { down => $i % 2 ? false : true });
    $state = $i % 2 ? 'up' : 'down';
    last if $status != 200;
}

$node->expect_log(qr/\[alert\] .*administrative changes cannot be written to/);

is("$status $data->{error}{code}", '500 JournalWriteError',
   'a change that is not on disk is answered with an error');
like($data->{error}{text}, qr/in force.*"\Q$small\E\/journal"/,
     'which says that it is in force, and what is full');
is($node->peer_state('app', '127.0.0.1:1'), $state, 'it is in force');

$node->api_patch($path, { drain => true }) for 1 .. 5;

is($node->peer_state('app', '127.0.0.1:1'), 'draining', 'so is the next one');
is(scalar(my @lines = $node->grep_log(qr/\[alert\] .*cannot be written/)), 1,
   'one line for all of them');
like($lines[0], qr/No space left/, 'with the reason');

unlink "$small/filler";

$node->patch_peer('app', '127.0.0.1:2', { down => true });
$node->wait_log(qr/\[notice\] .*changes are written to "\S+" again/);

$node->kill9();
$node->start();

is($node->peer_state('app', '127.0.0.1:1'), 'draining',
   'what was in force is on disk');
is($node->peer_state('app', '127.0.0.1:2'), 'down', 'so is what came later');

# a start with a full disk

$node->kill9();
fill();
$node->start();

is($node->peer_state('app', '127.0.0.1:1'), 'draining',
   'a start with a full disk reads what is there');

$node->kill9();
unlink "$small/filler";
$node->start();

is($node->peer_state('app', '127.0.0.1:2'), 'down', 'and removes nothing');

done_testing();


sub fill {
    open(my $f, '>', "$small/filler") or die "$small/filler: $!\n";
    1 while syswrite($f, 'x' x 4096);
}


END {
    system("umount -l $small") if $mounted;
}
