#!/usr/bin/perl

# 20 reloads of each node under continuous load: no request fails, none
# reaches a server that is down or unhealthy, no verdict is lost, and no
# server is probed twice in an interval by one node.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use constant {
    RELOADS  => 20,
    INTERVAL => 0.5,
};


my $pair = Duplex::Pair->new(backends => 4, conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 1m;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%%;
        server 127.0.0.23:%%PORT_backend%%;
        server 127.0.0.24:%%PORT_backend%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h sync;
        keepalive 16;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            health_check interval=500ms fails=1 passes=2 uri=/health/%%NAME%%;
        }
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

my ($b1, $b2, $down, $sick) = $pair->backends();

$sick->set_for('/health', status => 500);
$_->set_for('/slow', delay => 0.8) for $b1, $b2;

$pair->start();
$pair->a()->patch_peer('app', $down->address(), { down => true });

for my $node ($pair->nodes()) {
    wait_for { state($node, $down) eq 'down' } 5, 'the server is down';
    wait_for { state($node, $sick) eq 'unhealthy' } 5, 'it is unhealthy';
}

# from here on everything must stay as it is

my $since = time();
my %mark = map { $_->name() => $_->mark() } $pair->nodes();

my @targets = $pair->addresses('front');

my %load = (
    'new connections' => Duplex::Load->start(targets => \@targets,
                                             clients => 6, rate => 150),
    'kept connections' => Duplex::Load->start(targets => \@targets,
                             clients => 6, rate => 150, keepalive => 1),
    'sessions' => Duplex::Load->start(targets => \@targets,
                             clients => 6, rate => 100, sessions => 1),

    # these hold the old generations for a while
    'slow answers' => Duplex::Load->start(targets => \@targets,
                             clients => 4, rate => 5, uri => '/slow'),
);

for my $load (values %load) {
    wait_for { $load->report()->{ok} > 3 } 5, 'load';
}

my @lost;

for my $i (1 .. RELOADS) {
    for my $node ($pair->nodes()) {

        # at any phase of the probes; mostly the next reload comes while
        # workers of several generations are still there
        sleep rand 0.2;
        $node->reload(wait_old => $i % 5 == 0);

        my $now = state($node, $down) . ' ' . state($node, $sick);
        push @lost, $node->name() . " $i: $now" if $now ne 'down unhealthy';
    }
}

wait_for { !map { $_->leaving_workers() } $pair->nodes() } 10,
    'the old workers to leave';

for my $name (sort keys %load) {
    my $report = $load{$name}->stop();

    is($report->{failed}, 0, "$name: no request failed");
    is($report->{moved}, 0, "$name: no session moved");
    cmp_ok($report->{ok}, '>', $name =~ /slow/ ? 10 : 500,
           "$name: there was load");
    note(Duplex::Load::summary($report));

    diag(Duplex::Load::summary($report)) if $report->{failed}
                                            || $report->{moved};
}

is("@lost", '', 'state after each reload is as before');

for my $backend ($down, $sick) {
    my @got = $backend->requests(uri => qr{^/$}, since => $since);
    is(scalar @got, 0, $backend->name() . ' was asked for nothing');
}

for my $node ($pair->nodes()) {
    my @changes = $node->grep_log(qr/ is now /, $mark{$node->name()});

    is("@changes", '', $node->name() . ': no verdict has changed');
}

# one prober per node, whatever the generations

for my $backend ($pair->backends()) {
    for my $node ($pair->nodes()) {
        my $what = $node->name() . ' to ' . $backend->name();

        my @gaps = $backend->gaps(uri => qr{^/health/} . $node->name(),
                                  since => $since);

        cmp_ok($gaps[0], '>=', 0.8 * INTERVAL,
               "$what: no two probes within 0.8 of the interval");
        cmp_ok($gaps[-1], '<', 6 * INTERVAL, "$what: probes never paused");
        note(sprintf '%s: %d probes, gaps %.3f .. %.3f s',
             $what, 1 + @gaps, $gaps[0], $gaps[-1]);
    }
}

done_testing();


sub state {
    my ($node, $backend) = @_;
    return $node->peer_state('app', $backend->address());
}
