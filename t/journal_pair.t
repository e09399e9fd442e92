#!/usr/bin/perl

# Two nodes that were both killed keep what the administrator said, each of
# them also what was said to the other one.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 3)->start();
my ($node_a, $node_b) = $pair->nodes();
my ($b1, $b2, $b3) = map { $_->address() } $pair->backends();

$node_a->patch_peer('app', $b1, { drain => true });
$node_b->patch_peer('app', $b2, { down => true });

wait_for { $pair->is_shipped($node_a) && $pair->is_shipped($node_b) } 5,
    'both to be told';

is(states($_), 'draining down up', $_->name()) for $pair->nodes();

# what was acknowledged is on disk

$_->kill9() for $pair->nodes();

$node_b->start();
is(states($node_b), 'draining down up', 'b alone');

# what is said while the other one is gone counts, on both

$node_b->patch_peer('app', $b1, { drain => false });
$node_b->patch_peer('app', $b3, { drain => true });

$node_a->start();
$pair->wait_linked();

happens { states($_) eq 'up down draining' } 5, $_->name()
    . ': the later word counts, not the one that a has on disk'
    for $pair->nodes();

# an orderly end of both

$_->stop() for $pair->nodes();
$_->start() for $pair->nodes();
$pair->wait_linked();

is(states($_), 'up down draining', $_->name() . ': stopped and started')
    for $pair->nodes();

done_testing();


# what the administrator said; health has no say here
sub states {
    my ($node) = @_;

    my (undef, $servers) =
        $node->api_get('/api/9/http/upstreams/app/servers');

    return join ' ', map {
        $_->{drain} ? 'draining' : $_->{down} ? 'down' : 'up'
    } @$servers;
}
