#!/usr/bin/perl

# With the plan "split" two nodes of four workers share the servers out: each
# server is probed once per interval by the pair, also while workers are
# killed.  When a node dies the other one probes them all, and no verdict is
# lost on the way there and back.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


use constant INTERVAL => 0.4;

my $pair = Duplex::Pair->new(backends => 8, conf => <<'EOC')->start();
%%MAIN%%
worker_processes 4;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    proxy_bind %%ADDRESS%%;

    upstream app {
        zone app 256k;
        %%SERVERS%%
        duplex_health_policy any;
        duplex_health_plan split;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_next_upstream off;
            health_check interval=400ms uri=/probe mandatory;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api {
            api;
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

my %PROBE = (uri => qr{^/probe});

my ($node_a, $node_b) = $pair->nodes();
my @backends = $pair->backends();
my $bad = $backends[2];

$bad->set_for('/probe', status => 503);

sub states {
    my ($node) = @_;
    my $peers = $node->peers('app');
    return join ' ', map { $peers->{$_->address()}{state} } @backends;
}

my $well = 'up up unhealthy up up up up up';

# who probed this server since then: "a", "b", "ab"
sub probers {
    my ($backend, $since) = @_;
    my %node = map { $_->{peer} =~ /^127\.0\.0\.11:/ ? ('a', 1) : ('b', 1) }
               $backend->requests(%PROBE, since => $since);
    return join '', sort keys %node;
}

sub intervals {
    my ($n) = @_;
    my $until = time() + $n * INTERVAL;
    wait_for { time() > $until } 2 * $n, "$n intervals";
}

happens { states($_) eq $well } 10, $_->name() . ' knows all servers'
    for $node_a, $node_b;

intervals(3);

my $since = time();
intervals(6);

my %share;
$share{probers($_, $since)}++ for @backends;

is(($share{a} || 0) + ($share{b} || 0), 8, 'each server has one prober')
    or diag(explain(\%share));

# workers die

for my $node (map { ($node_a, $node_b) } 1 .. 3) {
    my @workers = $node->workers();
    $node->kill9_worker($workers[rand @workers]);
    intervals(2);
}

my $took = time() - $since;

for my $backend (@backends) {
    my ($shortest) = $backend->gaps(%PROBE, since => $since);

    cmp_ok($shortest, '>=', 0.8 * INTERVAL,
           $backend->name() . ' is never probed twice in 0.8 of an interval');
    cmp_ok($backend->count(%PROBE, since => $since), '>=',
           $took / INTERVAL * 0.6, '... but often enough');
}

is(states($_), $well, $_->name() . ' has lost no verdict')
    for $node_a, $node_b;

# a node dies: the other one probes them all, and knows what they were

my %mark = map { $_->name() => $_->mark() } $node_a, $node_b;
my $killed = time();
$node_b->kill9();

wait_for { !grep { probers($_, $killed) !~ /a/ } @backends } 10,
    'a to probe all';
is(states($node_a), $well, 'b is dead: a probes them all, and they stand');

intervals(3);
$since = time();
intervals(3);
is(scalar(grep { probers($_, $since) eq 'a' } @backends), 8,
   '... each of them');

# what changes now is a's to say, wherever the server was before

$backends[$_]->set_for('/probe', status => 503) for 4, 5, 6, 7;
happens { states($node_a) eq 'up up unhealthy up' . ' unhealthy' x 4 } 10,
    'servers that fail now do';

# and back

$node_b->start();
$pair->wait_linked();

my $back = 'up up unhealthy up' . ' unhealthy' x 4;

happens { states($node_b) eq $back } 10, 'b is back, and knows them all';

intervals(4);
$since = time();
intervals(4);

is(scalar(grep { probers($_, $since) =~ /^(a|b)$/ } @backends), 8,
   'each has one prober again');
is(states($_), $back, $_->name() . ' has the verdicts')
    for $node_a, $node_b;

is($node_a->grep_log(qr/\Q@{[$_->address()]}\E.*is now/, $mark{a}), 0,
   $_->name() . ' was the same all the time') for @backends[0, 1, 2, 3];

done_testing();
