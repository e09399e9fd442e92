#!/usr/bin/perl

# kill -9 of a worker, or of a whole node, at random moments, while both nodes
# take changes and keep nothing on disk: every change that was answered as
# applied on both is there afterwards, on both.
#
# DUPLEX_KILLS=200 for the long run, DUPLEX_SEED to repeat one.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Writers;

use constant SERVERS => 8;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream a {
        zone a 256k;
        %%SERVERS%%
    }

    upstream b {
        zone b 256k;
        %%SERVERS%%
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my $kills = $ENV{DUPLEX_KILLS} || 20;
my $seed = $ENV{DUPLEX_SEED} || int rand 1e9;
srand($seed);

my $ports = Duplex::Ports->new();

my @nodes = map {
    my ($name, $n) = @$_;
    Duplex::Node->new(
        name => $name, address => "127.0.0.1$n", ports => $ports,
        conf => $CONF, vars => {
            SERVERS => join("\n", map { "server 127.0.1.$_:1;" }
                                  0 .. SERVERS - 1) })
} ['a', 1], ['b', 2];

my ($of_worker, $of_node, $answers, $lost, $round) = (0, 0, 0, 0, 0);
my @ready;

$_->start() for @nodes;
wait_for { equal() } 10, 'both to hold the same';

while ($of_worker + $of_node < $kills) {
    $round++;

    my @writers = map { Duplex::Writers->start(
        address => $_->address('api'),
        path => '/api/9/http/upstreams/' . $_->name() . '/servers',
        clients => 2, states => [ states($_, $_->name()) ],
        file => $_->prefix() . "/answers.$round",
        args => 'wait=500', applied => 'a b',
    ) } @nodes;

    wait_for { !grep { ($_->expected())[1] < 5 } @writers } 10, 'changes';

    for (1 .. int(rand(3))) {
        sleep rand(0.1);

        my $node = $nodes[rand @nodes];
        my @workers = $node->workers() or next;
        $node->kill9_worker($workers[rand @workers]);
        $of_worker++;
    }

    sleep rand(0.1);

    my $node = $nodes[rand @nodes];
    $node->kill9();
    $of_node++;

    sleep rand(0.1);

    my $start = time();
    $node->start();
    wait_for { is_ready($node) } 10, 'it to be ready';
    push @ready, time() - $start;

    $_->stop() for @writers;
    wait_for { equal() } 10, 'both to hold the same';

    for my $i (0 .. 1) {
        my ($expected, $n) = $writers[$i]->expected();
        $answers += $n;

        for my $node (@nodes) {
            my @states = states($node, $nodes[$i]->name());

            for my $id (0 .. $#states) {
                next if $expected->{$id}{$states[$id]};

                $lost++;
                diag("round $round: server $id of " . $nodes[$i]->name()
                     . " is $states[$id] on " . $node->name()
                     . ', answered was '
                     . join ' or ', sort keys %{$expected->{$id}});
            }
        }
    }
}

is($lost, 0, "$of_worker kills of a worker, $of_node of a node: all of "
             . "$answers changes that were on both are on both")
    || diag("DUPLEX_SEED=$seed");
cmp_ok($answers, '>', $kills, 'and there were some');

@ready = sort { $a <=> $b } @ready;
diag(sprintf 'DUPLEX_SEED=%d: %d answers, ready after %.0f ms (median), '
             . '%.0f ms (most)', $seed, $answers, $ready[@ready / 2] * 1000,
     $ready[-1] * 1000) if $ENV{DUPLEX_KILLS};

done_testing();


# of all servers of a group, by number
sub states {
    my ($node, $group) = @_;

    my $peers = $node->peers($group);
    return map { $peers->{"127.0.1.$_:1"}{state} } 0 .. SERVERS - 1;
}


sub is_ready {
    my ($node) = @_;

    my ($status, $ready) = eval { $node->api_get('/api/9/duplex/ready') };
    return $ready && $ready->{ready};
}


sub equal {
    my @digests = map {
        my ($status, $nodes) = $_->api_get('/api/9/duplex/nodes');
        return 0 if grep { $_->{state} ne 'online' } @$nodes;
        my ($s, $data) = $_->api_get('/api/9/duplex/digests');
        JSON::PP->new->canonical->encode($data)
    } @nodes;

    return $digests[0] eq $digests[1];
}
