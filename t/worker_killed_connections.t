#!/usr/bin/perl

# Connections that a worker held when it was killed are not counted any more
# when another one stands in for it: max_conns does not fill up with ghosts,
# in http and stream, by balancer and by sticky.  Those of others stay.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Crowd;
use Duplex::Test;


my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/a b/;

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<'EOC',
%%MAIN%%
worker_processes 3;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%a%% max_conns=8 route=a;
        sticky route $arg_r;
    }

    upstream random {
        zone random 256k;
        random;
        server %%a%% max_conns=8;
        server %%b%% max_conns=8;
    }

    server {
        listen %%LISTEN_front%%;
        location ~ ^/(\w+) { proxy_pass http://$1; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}

stream {
    upstream app {
        zone stream_app 256k;
        server %%a%% max_conns=8;
    }

    server {
        listen %%LISTEN_stream%%;
        proxy_pass app;
    }
}
EOC
);

$node->start();
$node->expect_log(qr/ended with the worker that was here before/);

my $added = Duplex::Backend->new(name => 'c');
my ($status) = api_call($node->address('api'), 'POST',
    '/api/9/http/upstreams/app/servers',
    { server => $added->address(), max_conns => 8, route => 'c' });
is($status, 201, 'another one by the API');

my @want = ([ 'http/app', 4 ], [ 'http/random', 4 ], [ 'stream/app', 2 ]);

for my $round (1 .. 3) {
    $_->set(delay => 60) for values %b, $added;

    my @crowds = map { Duplex::Crowd->new($node->address($_)) }
        qw/front stream/;

    $crowds[0]->send(2, '/app?r=a');
    $crowds[0]->send(2, '/app?r=c');
    $crowds[0]->send(4, '/random');
    $crowds[1]->send(2, '/');

    wait_for { active() eq '4 4 2' } 10, 'all are counted';

    # one by one, so that some stand in while others go on

    for my $pid ($node->workers()) {
        $node->kill9_worker($pid);
        wait_for { $node->workers() == 3 && !grep { $_ == $pid }
                   $node->workers() } 10, 'another worker';
        wait_for { active() } 10, 'an answer';
    }

    wait_for { active() eq '0 0 0' } 10, 'none is left';
    pass("round $round: all are gone that were with killed workers");
    undef @crowds;
}

# and the counters still work

$_->set(delay => 0) for values %b, $added;
is(get($node->address('front'), '/app?r=c')->{status}, 200, 'served');
is(get($node->address('front'), '/random')->{status}, 200, 'served');
is(active(), '0 0 0', 'and counted');

done_testing();


sub active {
    return join ' ', map {
        my ($group) = @$_;
        my $n = 0;
        $n += $_->{active} for values %{$node->peers($group)};
        $n;
    } @want;
}
