#!/usr/bin/perl

# Two nodes that did not hear each other have both changed the same servers:
# when they meet, the later change is in force on both, whoever made it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 3)->start();
my ($a, $b) = $pair->nodes();
my ($b1, $b2, $b3) = map { $_->address() } $pair->backends();

# they are parted by leaving the stream server out

my $together = $a->conf();
(my $apart = $together) =~ s/^stream \{.*//ms;

for my $node ($a, $b) {
    $node->configure($apart);
    $node->reload(wait_old => 1);
}

$a->patch_peer('app', $b1, { down => true });
$b->patch_peer('app', $b2, { down => true });
$a->patch_peer('app', $b3, { drain => true });

# later by the wall clock's millisecond, whatever it is
sleep 0.005;

$b->patch_peer('app', $b1, { drain => true });
$a->patch_peer('app', $b2, { drain => true });

is($a->peer_state('app', $b1), 'down', 'a has its own word');
is($b->peer_state('app', $b1), 'draining', 'b another');

for my $node ($a, $b) {
    $node->configure($together);
    $node->reload(wait_old => 1);
}

$pair->wait_linked();

for my $node ($a, $b) {
    my $name = $node->name();

    is($node->peer_state('app', $b1), 'draining', "$name: b's later word");
    is($node->peer_state('app', $b2), 'draining', "$name: a's later word");
    is($node->peer_state('app', $b3), 'draining', "$name: a's only word");
}

done_testing();
