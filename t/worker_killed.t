#!/usr/bin/perl

# kill -9 of the worker that probes and synchronises: another one takes over
# within a second, and clients that retry once lose nothing.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use constant {
    KILLS    => 5,
    INTERVAL => 0.5,
};


my $pair = Duplex::Pair->new(
    backends => 3,
    check => 'interval=500ms uri=/health/%%NAME%%',
)->start();

my ($b1, $b2, $b3) = $pair->backends();
my ($node_a, $node_b) = $pair->nodes();

my %load = map {
    $_ => Duplex::Load->start(targets => [ $pair->addresses('front') ],
                              clients => 6, rate => 200, retry => 1,
                              keepalive => $_ eq 'kept')
} qw/new kept/;

for my $load (values %load) {
    wait_for { $load->report()->{ok} > 50 } 5, 'load';
}

my $since = time();

for my $i (1 .. KILLS) {
    my $holder = holder($node_a);
    my $killed = time();

    $node_a->kill9_worker($holder);

    # in both directions: what is said here is in force there, and back

    my ($word, $state) = $i % 2 ? (true, 'down') : (false, 'up');

    wait_for { eval { $node_a->patch_peer('app', $b1->address(),
                                          { down => $word }); 1 } } 2,
        'the API to accept a change';
    happens { $node_b->peer_state('app', $b1->address()) eq $state } 2,
        "kill $i: a change is shipped";

    $node_b->patch_peer('app', $b2->address(), { drain => $word });
    $state = $i % 2 ? 'draining' : 'up';
    happens { $node_a->peer_state('app', $b2->address()) eq $state } 2,
        "kill $i: a change is received";

    my $shipped = time() - $killed;

    wait_for { my $h = holder($node_a); $h && $h != $holder } 2,
        'another holder';

    my $taken = time() - $killed;

    cmp_ok($taken, '<', 1 * $Duplex::Wait::slow,
           sprintf 'kill %d: taken over after %.0f ms, shipped after %.0f ms',
           $i, $taken * 1000, $shipped * 1000);

    happens { $b3->count(uri => qr{^/health/a$}, since => $killed) } 2,
        "kill $i: probes go on";

    wait_for { $node_a->workers() == 2 } 5, 'a new worker';
    $pair->wait_linked();
}

for my $name (sort keys %load) {
    my $report = $load{$name}->stop();

    is($report->{failed}, 0, "$name: no request failed")
        or diag(Duplex::Load::summary($report));
    note(Duplex::Load::summary($report));
}

# the probes of node a had no hole longer than the takeover

for my $backend ($pair->backends()) {
    my @gaps = $backend->gaps(uri => qr{^/health/a$}, since => $since);

    cmp_ok($gaps[-1], '<', 1 + INTERVAL,
           sprintf '%s: probes from %.3f to %.3f s apart',
           $backend->name(), $gaps[0], $gaps[-1]);
    cmp_ok($gaps[0], '>=', 0.8 * INTERVAL,
           $backend->name() . ': never two in an interval');
}

done_testing();


# pid of the worker that holds the lease
sub holder {
    my ($node) = @_;

    my ($status, $data) = $node->api_get('/api/9/duplex/node');
    return $data->{lease_holder};
}
