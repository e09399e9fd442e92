#!/usr/bin/perl

# After a reload of either side only what was missed is sent; after the death
# of a node everything, and nothing of it is lost.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use constant SESSIONS => 300;


my $pair = Duplex::Pair->new(backends => 2)->start();
my ($a, $b) = $pair->nodes();

$a->get('/') for 1 .. SESSIONS;
happens { $pair->is_shipped($a) && sessions($b) == SESSIONS } 5,
    'all sessions are on b';

my $before = out($a);

cmp_ok($before->{records}, '>=', SESSIONS, 'they were sent');

# either side reloads

for my $node ($a, $b) {
    my $n = sessions($b);

    $node->reload(wait_old => 1);
    $a->get('/') for 1 .. 5;

    happens { $pair->is_shipped($a) && sessions($b) == $n + 5 } 5,
        $node->name() . ' reloaded: the new sessions are on b';
}

happens { out($a)->{resumed} >= $before->{resumed} + 4 } 5,
    'two tables were gone on with, twice';

$pair->wait_linked();

my $after = out($a);

is($after->{full}, $before->{full}, 'no table was sent from end to end');
cmp_ok($after->{records}, '<', $before->{records} + 60,
       'only what was missed was sent');

# b loses its memory

my $n = sessions($b);

$b->kill9();
$b->start();
$pair->wait_linked();

is(sessions($b), $n, 'b has all sessions again');
is(out($a)->{full}, $after->{full} + 2, 'both tables were sent to it');

# and what it made itself in its former life comes back, too

$b->get('/') for 1 .. 20;
happens { $pair->is_shipped($b) && sessions($a) == $n + 20 } 5,
    'a has sessions of b';

$b->kill9();
$b->start();
$pair->wait_linked();

is(sessions($b), $n + 20, 'b has its own sessions again');

done_testing();


sub sessions {
    my ($node) = @_;

    my ($status, $data) = $node->api_get('/api/9/stream/zone_sync');
    return $data->{zones}{sessions}{records_total};
}


sub out {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return $nodes->[0]{out};
}
