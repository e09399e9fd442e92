#!/usr/bin/perl

# The handshake must be complete within zone_sync_timeout: a client that
# sends a byte now and then does not hold a connection longer than one that
# sends none.

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Select;
use IO::Socket::INET;

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 1)->start();
my ($node) = $pair->nodes();

my $s = IO::Socket::INET->new(PeerAddr => $node->address('sync'))
    or die "connect(): $!\n";
$s->autoflush(1);

# the beginning of a HELLO of 60 bytes
my @bytes = split //, pack('NCCnN', 60, 1, 0, 0, 0) . 'NGXDUPLX' . "\0" x 50;

my $started = time();
my $closed = 0;

local $SIG{PIPE} = 'IGNORE';

while (@bytes && !$closed) {
    syswrite($s, shift @bytes) or $closed = 1;

    # readable: the end, since nobody answers half a HELLO
    $closed = 1 if IO::Select->new($s)->can_read(0.2);
}

my $elapsed = time() - $started;

ok($closed, 'the client was disconnected');
cmp_ok($elapsed, '<', 5, sprintf('after %.1f s', $elapsed));

happens { $pair->is_shipped($node) } 5, 'the links are up';

done_testing();
