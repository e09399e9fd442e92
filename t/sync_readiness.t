#!/usr/bin/perl

# Whether a node should be given traffic: not while all its servers fail and
# are up for the other node, also after the link was lost with them; when
# neither has one that passes, both should; not when it is told to leave.
# And whether it is one of the nodes at all: not when nobody else is there.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use IO::Socket::INET;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%SERVER%%;
        server 127.0.0.1:1;
    }

    server {
        listen %%LISTEN_front%%;
        listen unix:%%PREFIX%%/front.sock;

        location / {
            proxy_pass http://app;
            proxy_set_header X-Node %%NAME%%;
            health_check interval=100ms uri=/health;
        }

        location = /ready {
            duplex_ready;
        }

        location = /live {
            duplex_live;
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
        zone_sync_server %%OTHER%%;
        %%WITNESS%%
    }
}
EOC

my $ports = Duplex::Ports->new();

# the server fails for the nodes that it has a file of

my $server = Duplex::Node->new(name => 'server', conf => <<'EOC')->start();
%%MAIN%%

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_front%%;

        location / {
            if (-f %%PREFIX%%/$http_x_node) {
                return 500;
            }

            return 200;
        }
    }
}
EOC

# an address that answers, until it does not

my $witness = Duplex::Backend->new(name => 'witness', address => '127.0.0.31',
                                   port => $ports->port('backend'));

my ($a, $b) = map {
    my ($name, $n) = @$_;
    Duplex::Node->new(
        name => $name, address => "127.0.0.1$n", ports => $ports,
        conf => $CONF, vars => {
            SERVER => $server->address('front'),
            OTHER => '127.0.0.1' . (3 - $n) . ':%%PORT_sync%%',
            WITNESS => $name eq 'a'
                       ? 'duplex_witness ' . $witness->address() . ';' : '',
        })
} ['a', 1], ['b', 2];

$_->start() for $a, $b;
happens { state($a) eq 'ready' && state($b) eq 'ready' } 5, 'both are ready';
is(code($a, '/ready') . code($a, '/live'), '200200', 'a is ready and live');
is(Duplex::Client::get('unix:' . $a->prefix() . '/front.sock', '/live')
       ->{status}, 200, 'over a unix socket, too');

# by the administrator

is((api_call($a->address('api'), 'PATCH', '/api/9/duplex/node',
             { leaving => true }))[0], 204, 'told to leave');
is(code($a, '/ready') . code($a, '/live'), '503200', 'it is live, not ready');
is(state($a), 'leaving', 'and says so');
$a->reload();
is(code($a, '/ready'), 503, 'over a reload');
api_call($a->address('api'), 'PATCH', '/api/9/duplex/node',
         { leaving => false });
is(code($a, '/ready'), 200, 'taken back');

for my $body ('[]', '{"leaving":1}', '{}', '{"leaving":true,"x":1}') {
    my $r = request($a->address('api'), 'PATCH', '/api/9/duplex/node',
                    body => $body);
    is($r->{status}, 400, "$body is refused");
}

# its own way to the servers is cut

cut('a');
happens { state($a) eq 'backend-cut' } 5, 'a is cut off from its servers';
is(code($a, '/ready') . code($a, '/live'), '503200', 'live, not ready');
is(code($b, '/ready'), 200, 'b is ready');
$a->wait_log(qr/node "a" is cut off from its servers/, 1);

mend('a');
happens { code($a, '/ready') == 200 } 5, 'until a server passes';

# that of both

cut($_) for 'a', 'b';
happens { reason($b) =~ /nor for any other node/ } 5, 'nobody has a server';
is(code($_, '/ready'), 200, $_->name() . ' is ready all the same') for $a, $b;

mend($_) for 'a', 'b';
happens { reason($_) eq 'synchronised' } 5, $_->name() . ' is back'
    for $a, $b;

# the other node is gone, then the servers; the witness is there

kill('STOP', $_) for $b->workers();
happens { other($a)->{state} ne 'online' } 5, 'b is not heard any more';
cut('a');

happens { state($a) eq 'backend-cut' } 5,
    'what b had found last still counts';

sleep 0.8;
is(code($a, '/live'), 200, 'a witness answers: live');

$witness->kill9();
sleep 0.6;
is(code($a, '/live'), 200, 'its host does: live');

# nobody answers

# an address where everything is dropped: its queue is full

my $deaf = IO::Socket::INET->new(LocalAddr => '127.0.0.32', Listen => 1)
    or die "listen: $!\n";
my $deaf_address = '127.0.0.32:' . $deaf->sockport();
my @queue = map {
    IO::Socket::INET->new(PeerAddr => $deaf_address, Timeout => 0.2)
} 1 .. 4;

my $mark = $a->mark();
$a->configure($CONF, WITNESS => "duplex_witness $deaf_address;");
$a->reload();

happens { state($a) eq 'isolated' } 10, 'nobody answers: isolated';
is(code($a, '/ready') . code($a, '/live'), '503503', 'neither ready nor live');
$a->wait_log(qr/node "a" is isolated/, 1, $mark);

# what counts is what was found before the fault

happens { states($a) eq 'unhealthy up' } 5, 'verdicts are frozen';
is($a->get('/')->{status}, 500, 'it goes on as before');
$a->reload();
is(states($a), 'unhealthy up', 'over a reload');

# a witness is enough to be no longer isolated

$witness->start();
$a->configure($CONF, WITNESS => 'duplex_witness ' . $witness->address() . ';');
$a->reload();
happens { code($a, '/live') == 200 } 5, 'a witness answers again: live';
is(states($a), 'unhealthy unhealthy', 'nothing is frozen');

$a->configure($CONF, WITNESS => "duplex_witness $deaf_address;");
$a->reload();
happens { state($a) eq 'isolated' } 10, 'isolated again';

kill('CONT', $_) for $b->workers();
happens { state($a) eq 'backend-cut' } 5,
    'the other is heard again, the servers are not';
is(code($a, '/ready') . code($a, '/live'), '503200', 'live, not ready');
is(states($a), 'unhealthy unhealthy', 'what it finds counts again');

mend('a');
happens { code($a, '/ready') == 200 } 5, 'ready when a server passes';

done_testing();


sub cut {
    my ($name) = @_;
    $server->write_file($name, '');
}


sub mend {
    my ($name) = @_;
    unlink $server->prefix() . "/$name";
}


sub states {
    my ($node) = @_;

    my $peers = $node->peers('app');
    return join ' ', sort map { $_->{state} } values %$peers;
}


sub code {
    my ($node, $uri) = @_;
    return $node->get($uri)->{status};
}


sub ready {
    my ($node) = @_;

    my ($status, $ready) = $node->api_get('/api/9/duplex/ready');
    return $ready;
}


sub state { return ready($_[0])->{state} }
sub reason { return ready($_[0])->{reason} }


sub other {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return $nodes->[0];
}
