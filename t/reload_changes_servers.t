#!/usr/bin/perl

# Servers leave, come and change places with a reload: what is known of the
# others stays theirs, and sessions of one that left go on elsewhere until it
# is back.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $conf = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 1m;
        %%LINES%%
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h sync;
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

my $pair = Duplex::Pair->new(backends => 5, conf => $conf,
                             vars => { LINES => lines(1, 2, 3, 4) });

my %backend = map { $_->name() => $_ } $pair->backends();
my ($node_a, $node_b) = $pair->nodes();

$backend{b3}->set_for('/health', status => 500);
$pair->start();
$node_a->patch_peer('app', $backend{b2}->address(), { down => true });

for my $node ($node_a, $node_b) {
    wait_for { states($node, 1 .. 4) eq 'up down unhealthy up' } 5,
        'states: ' . states($node, 1 .. 4);
}

my %session;

wait_for {
    my $r = $node_a->get('/');
    push @{$session{$r->{headers}{'x-backend'}}}, $r->{cookies}{sid};
    keys %session == 2 && !grep { @$_ < 3 } values %session;
} 5, 'sessions on both servers that are up';

wait_for { $pair->is_shipped($node_a) } 5, 'both nodes to know them';

# b1 leaves, b5 comes, the others change places; on one node first

for my $node ($node_a, $node_b) {
    my $name = $node->name();

    $node->configure($conf, LINES => lines(5, 4, 3, 2));
    $node->reload(wait_old => 1);

    is(states($node, 2 .. 4), 'down unhealthy up',
       "$name: what was known is in force at once");
    happens { states($node, 5) eq 'up' } 5, "$name: the new one is up";

    my $since = time();

    for my $sid (@{$session{b4}}) {
        is(home($node, $sid), 'b4', "$name: a session of b4 stays");
    }

    # its server may still be known to the other node: nothing is bound anew

    for my $sid (@{$session{b1}}) {
        like(home($node, $sid), qr/^b[45]$/, "$name: one of b1 goes on");
    }

    my @asked = grep { $backend{$_}->count(uri => qr{^/$}, since => $since) }
                sort keys %backend;

    is(join(' ', grep { !/b[45]/ } @asked), '',
       "$name: nobody asks those who are gone, down or unhealthy");
}

# back to the first file: the administrator's word still counts

$node_a->configure($conf, LINES => lines(1, 2, 3, 4));
$node_a->reload(wait_old => 1);

is(states($node_a, 2 .. 4), 'down unhealthy up', 'and all the way back');
happens { states($node_a, 1) eq 'up' } 5, 'with the one that had left';

for my $sid (@{$session{b1}}) {
    is(home($node_a, $sid), 'b1', 'whose sessions find it again');
}

done_testing();


sub lines {
    return join "\n        ",
           map { "server 127.0.0.2$_:%%PORT_backend%%;" } @_;
}


sub states {
    my ($node, @numbers) = @_;

    my $peers = $node->peers('app');
    return join ' ', map { $peers->{$backend{"b$_"}->address()}{state} }
                     @numbers;
}


sub home {
    my ($node, $sid) = @_;

    my $r = $node->get('/', cookie => "sid=$sid");
    return $r->{headers}{'x-backend'} // "status $r->{status}";
}
