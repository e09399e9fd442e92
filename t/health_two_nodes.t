#!/usr/bin/perl

# Two nodes probe the same servers and may disagree: each obeys its own
# verdict and shows the other's.  A node that was killed does not take what
# it had found in its former life for a verdict.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(
    backends => 2,
    check => 'interval=200ms uri=/health/%%NAME%%',
)->start();

my ($node_a, $node_b) = $pair->nodes();
my ($b1, $b2) = $pair->backends();

# the verdicts on b1, as a node shows them
sub verdicts {
    my ($node) = @_;

    return join ', ', sort map { "$_->{node} $_->{state} $_->{reason}" }
                           @{$node->peers('app')->{$b1->address()}{verdicts}};
}

sub state {
    my ($node) = @_;
    return $node->peer_state('app', $b1->address());
}

for my $node ($node_a, $node_b) {
    happens { verdicts($node) eq 'a up , b up ' } 10,
        $node->name() . ' shows that both find b1 up';
}

$b1->set_for('/health/a', status => 503);

for my $node ($node_a, $node_b) {
    happens { verdicts($node) eq 'a unhealthy status, b up ' } 5,
        $node->name() . ' shows that they disagree';
}

is(state($node_a), 'unhealthy', 'a obeys its own');
is(state($node_b), 'up', 'b obeys its own');

my $since = time();
$_->get('/x') for (map { ($node_a, $node_b) } 1 .. 10);

my @seen = $b1->requests(uri => qr{^/x}, since => $since);
is(scalar @seen, 5, 'b1 has its half of the requests to b, and no other');

# a dies and comes back; its probe of b1 hangs now

$b1->set_for('/health/a', hang => 1);
$node_a->kill9();

is(verdicts($node_b), 'a unhealthy status, b up ', 'b remembers');

$node_a->start();

happens { verdicts($node_a) =~ /b up/ } 10, 'b has told a what it knows';
is(verdicts($node_a), 'b up ', 'a has no verdict of its own');
is(state($node_a), 'up', '... and does not go by the old one');

$b1->set_for('/health/a', status => 404);
$node_a->reload();                          # the hanging probe ends

for my $node ($node_a, $node_b) {
    happens { verdicts($node) eq 'a unhealthy status, b up ' } 5,
        $node->name() . ' shows the new verdict';
}

done_testing();
