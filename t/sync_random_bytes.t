#!/usr/bin/perl

# Whatever a stranger writes to the sync port: he is disconnected, costs at
# most one log line per address and 10 s, and changes nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Compress::Zlib qw/crc32/;

use Duplex::Test;

use constant {
    STRANGERS => [ '127.0.0.51', '127.0.0.52' ],
    RANDOM    => 60,
};


srand(my $seed = $ENV{SEED} || time());
note("SEED=$seed");

my $pair = Duplex::Pair->new(
    backends => 2,
    check => 'interval=1s uri=/health',
)->start();

my ($node_a, $node_b) = $pair->nodes();

$node_a->get('/') for 1 .. 5;
$node_a->patch_peer('app', ($pair->backends())[1]->address(),
                    { down => true });

happens { $pair->is_shipped($node_a) && $pair->is_shipped($node_b) } 5,
    'the pair is at rest';

my $before = snapshot();
my $mark = $node_a->mark();
my $start = time();

my %bytes = (
    'http' => "GET / HTTP/1.0\r\n\r\n",
    'tls' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . noise(500),
    'zeros' => "\0" x 1000,
    'a length of 4 GB' => pack('N', 0xffffffff) . "\1\0\0\0" . noise(4),
    'a wrong checksum' => pack('NCCn N', 8, 1, 0, 0, 1) . 'NGXDUPLX',
    'half a header' => pack('NC', 40, 1),
    'half a hello' => substr(hello('NGXDUPLX', 1, 1), 0, 30),
    'a hello with other magic' => hello('NGXDUPLY', 1, 1),
    'a hello of another age' => hello('NGXDUPLX', 900, 901),
    'a ping before the hello' => frame(8, ''),
    'records before the hello' => frame(5, noise(100)),
    'an unknown type' => frame(99, ''),
    'a hello, cut' => frame(1, substr(body('NGXDUPLX', 1, 1), 0, 20)),
    'a name that is none' => hello('NGXDUPLX', 1, 1, "a\nb c"),
    map { ("random $_" => noise(1 + int rand 1500)) } 1 .. RANDOM,
);

# those who wait for the time limit are asked side by side

my (%answer, %closed, @children);

for my $address (@{+STRANGERS}) {
    for my $what (sort keys %bytes) {
        pipe(my $in, my $out) or die "pipe(): $!\n";

        my $child = Duplex::Process->start(name => $what, code => sub {
            my ($text, $closed) = raw($node_a->address('sync'), $bytes{$what},
                                      from => $address, timeout => 4);
            print $out $closed ? 'closed' : 'open';
            close $out;
        });

        close $out;
        push @children, [ "$what from $address", $in, $child ];

        # not more at once than a node accepts in one turn
        select(undef, undef, undef, 0.005);
    }
}

my @open = map {
    my ($what, $in) = @$_;
    my $said = <$in> // 'nothing';
    $said eq 'closed' ? () : "$what: $said";
} @children;

is("@open", '', @children . ' strangers were disconnected')
    or diag(join "\n", @open);

my $elapsed = time() - $start;

for my $address (@{+STRANGERS}) {
    my @lines = $node_a->grep_log(qr/\b\Q$address\E\b/, $mark);

    cmp_ok(scalar @lines, '<=', 1 + int($elapsed / 10),
           "at most one line about $address in 10 s")
        or diag(join "\n", @lines);
}

my @lines = $node_a->grep_log(qr/\[(?!notice|info)\w+\]/, $mark);

cmp_ok(scalar @lines, '<=', 2 * (1 + int($elapsed / 10)), 'no other lines')
    or diag(join "\n", @lines);

is(snapshot(), $before, 'nothing has changed');
happens { $pair->is_shipped($node_a) && $pair->is_shipped($node_b) } 5,
    'the links are up';

done_testing();


sub snapshot {
    my @all;

    for my $node ($pair->nodes()) {
        my (undef, $nodes) = $node->api_get('/api/9/duplex/nodes');
        my (undef, $sync) = $node->api_get('/api/9/stream/zone_sync/');
        my $peers = $node->peers('app');

        push @all, {
            nodes => [ map { "$_->{name} $_->{state}" } @$nodes ],
            zones => { map { $_ => $sync->{zones}{$_}{records_total} }
                       keys %{$sync->{zones}} },
            peers => { map { $_ => $peers->{$_}{state} } keys %$peers },
        };
    }

    return JSON::PP->new->canonical->pretty->encode(\@all);
}


sub noise {
    my ($n) = @_;
    return pack 'C*', map { int rand 256 } 1 .. $n;
}


sub frame {
    my ($type, $payload) = @_;

    my $header = pack('NCCn', length $payload, $type, 0, 0);

    return $header . pack('N', crc32($header . $payload)) . $payload;
}


sub hello {
    return frame(1, body(@_));
}


# the payload of HELLO
sub body {
    my ($magic, $low, $high, $name) = @_;

    $name = 'stranger' if !defined $name;

    return $magic . pack('nn Q> Q>', $low, $high, 1, time() * 1000 * 65536)
           . pack('C/a* C/a* x2', $name, '');
}
