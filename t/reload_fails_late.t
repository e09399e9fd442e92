#!/usr/bin/perl

# A reload that fails late, after the new configuration's memory was made,
# leaves workers and store as they were; the next good one still works.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $conf = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store_size %%STORE%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 1m;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%%;
        server 127.0.0.23:%%PORT_backend%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:%%SESSIONS%% timeout=1h sync;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            health_check interval=200ms fails=1 passes=1 uri=/health;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }

    %%MORE%%
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

my $pair = Duplex::Pair->new(
    backends => 3, conf => $conf,
    vars => { STORE => '4m', SESSIONS => '1m', MORE => '' },
);

my ($b1, $b2, $b3) = $pair->backends();
my ($node_a, $node_b) = $pair->nodes();

$b3->set_for('/health', status => 500);
$pair->start();

my %session = map { $_->[0] => $_->[1] } sessions($node_a, 10);

$node_a->patch_peer('app', $b1->address(), { drain => true });

for my $node ($node_a, $node_b) {
    wait_for { states($node) eq 'draining up unhealthy' } 5,
        'states: ' . states($node);
}

# a port that is taken, in the same file with other sizes of both zones

my $taken = Duplex::Backend->new(name => 'taken', address => '127.0.0.11');

my @workers = $node_a->workers();

$node_a->expect_log(qr/bind\(\) to \S+ failed|still could not bind/);
$node_a->configure($conf, STORE => '8m', SESSIONS => '2m',
                   MORE => 'server { listen ' . $taken->address() . '; }');

like($node_a->try_reload(), qr/still could not bind/, 'the reload failed late');

is("@{[ $node_a->workers() ]}", "@workers", 'the workers are the same');
unchanged('after the failed reload');

# a worker that is born now belongs to the old configuration

$node_a->kill9_worker($workers[0]);
wait_for { (grep { $_ != $workers[0] } $node_a->workers()) == 2 } 5,
    'another worker';

unchanged('with a new worker of the old configuration');

# what works is still synchronised and probed

is($node_a->patch_peer('app', $b2->address(), { down => true })->{down}, true,
   'the API accepts a change');
happens { states($node_b) eq 'draining down unhealthy' } 5,
    'the change reaches the other node';

$node_a->patch_peer('app', $b2->address(), { down => false });

$b3->set_for('/health', status => 200);
happens { states($node_a) eq 'draining up up' } 5, 'probes go on';

$b3->set_for('/health', status => 500);
happens { states($node_a) eq 'draining up unhealthy' } 5, 'in both directions';

# a good reload, with the sizes that could not come into force before

$node_a->configure($conf, MORE => '');
$node_a->reload(wait_old => 1);

unchanged('after a good reload');

done_testing();


# [ sid, backend ] of n new sessions
sub sessions {
    my ($node, $n) = @_;

    return map {
        my $r = $node->get('/');
        [ $r->{cookies}{sid}, $r->{headers}{'x-backend'} ];
    } 1 .. $n;
}


sub states {
    my ($node) = @_;

    my $peers = $node->peers('app');
    return join ' ', map { $peers->{$_->address()}{state} } $b1, $b2, $b3;
}


sub unchanged {
    my ($when) = @_;

    my $r;

    my @moved = grep {
        $r = $node_a->get('/', cookie => "sid=$_");
        ($r->{headers}{'x-backend'} // $r->{status}) ne $session{$_};
    } sort keys %session;

    is(scalar @moved, 0, "$when: sessions stay where they were");
    is(states($node_a), 'draining up unhealthy', "$when: states are as before");

    my ($new) = sessions($node_a, 1);

    is($new->[1], 'b2', "$when: a new session goes to the one that is up");
    happens { $pair->is_shipped($node_a) } 5, "$when: it is shipped";
    $r = $node_b->get('/', cookie => "sid=$new->[0]");
    is($r->{headers}{'x-backend'}, 'b2', "$when: which knows it");
}
