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
my %bad;

sub break_down {
    $_->set_for('/probe', status => 503) for @_;
    $bad{$_->address()} = 1 for @_;
}

sub states {
    my ($node) = @_;
    my $peers = $node->peers('app');
    return join ' ', map { $peers->{$_->address()}{state} } @backends;
}

sub well {
    return join ' ', map { $bad{$_->address()} ? 'unhealthy' : 'up' } @backends;
}

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

# who probes what is a matter of addresses

sub shares {
    my $since = time();
    intervals(6);

    my %share = (a => [], b => []);
    push @{$share{probers($_, $since)}}, $_ for @backends;

    return \%share;
}

sub one_prober {
    my ($share, $what) = @_;
    is(@{$share->{a}} + @{$share->{b}}, 8, $what)
        or diag(explain({ map { $_ => scalar @{$share->{$_}} } keys %$share }));
}

sub knows {
    my ($what) = @_;
    happens { states($_) eq well() } 10, $_->name() . " knows $what"
        for $node_a, $node_b;
}

knows('all servers');
intervals(3);

my $share = shares();
one_prober($share, 'each server has one prober');

# One fails, of those of a node that has others.

my ($name, $other) = sort { @{$share->{$b}} <=> @{$share->{$a}} } 'a', 'b';
my @most = @{$share->{$name}};

break_down(shift @most);
knows('one that fails');

my $since = time();

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

is(states($_), well(), $_->name() . ' has lost no verdict')
    for $node_a, $node_b;

# a node dies: the other one probes them all, and knows what they were

my %mark = map { $_->name() => $_->mark() } $node_a, $node_b;
my $killed = time();
$node_b->kill9();

wait_for { !grep { probers($_, $killed) !~ /a/ } @backends } 10,
    'a to probe all';
is(states($node_a), well(), 'b is dead: a probes them all, and they stand');

intervals(3);
$since = time();
intervals(3);
is(scalar(grep { probers($_, $since) eq 'a' } @backends), 8,
   '... each of them');

# what changes now is a's to say, wherever the server was before

break_down(@most[1 .. $#most]);
happens { states($node_a) eq well() } 10, 'servers that fail now do';

# and back

$node_b->start();
$pair->wait_linked();

knows('them all, as b is back');
intervals(4);
one_prober(shares(), 'each has one prober again');

# A node for whom all fail is not believed alone: the other one looks, too.  It
# finds the same, so neither is cut off from its servers.

break_down(@most);

knows('that all servers of one fail');
$since = time();
happens { !grep { probers($_, $since) ne 'ab' } @{$share->{$name}} } 10,
    'the other node looks, too';
intervals(4);

is($_->api_get('/api/9/duplex/ready')->{state}, 'ready', $_->name() . ' is not cut off')
    for $node_a, $node_b;

is($node_a->grep_log(qr/\Q@{[$_->address()]}\E.*is now/, $mark{a}), 0,
   $_->name() . ' was the same all the time')
    for grep { !$bad{$_->address()} } @backends;

done_testing();
