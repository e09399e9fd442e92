#!/usr/bin/perl

# Probes are not traffic: the counters of servers, caches, stored files,
# limits and the access log know nothing of them, whatever their outcome.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


use constant PROBES => 30;              # of each server, at the least

my ($good, $bad) = map { Duplex::Backend->new(name => $_) } qw(good bad);

my $node = Duplex::Node->new(
    name => 'a',
    vars => { good => $good->address(), bad => $bad->address() },
    conf => <<'EOC',
%%MAIN%%

events {
}

http {
    %%HTTP%%

    proxy_cache_path %%PREFIX%%/cache keys_zone=cache:1m;
    limit_req_zone $server_name zone=requests:1m rate=1r/m;
    limit_conn_zone $server_name zone=connections:1m;

    proxy_read_timeout 100ms;

    log_format probe '$request_uri';

    upstream app {
        zone app 256k;
        server %%good%% max_conns=1;
        server %%bad%% max_fails=1 fail_timeout=1m;
    }

    server {
        listen %%LISTEN_front%%;
        server_name example.com;

        access_log %%PREFIX%%/access.log probe;

        location / {
            proxy_pass http://app;

            proxy_cache cache;
            proxy_cache_key $uri;
            proxy_cache_valid any 1h;

            limit_req zone=requests;
            limit_conn connections 1;

            health_check interval=20ms uri=/page;
        }

        location /stored {
            proxy_pass http://app;
            proxy_store %%PREFIX%%/stored/$uri;
            health_check interval=20ms uri=/stored;
        }
    }

    server {
        listen %%LISTEN_api%%;
        access_log off;

        location /api {
            api;
        }
    }
}
EOC
);

$good->set(headers => [ 'Cache-Control: max-age=3600' ], body => 'probed');
$node->start();

for my $set ([], [ status => 500 ], [ reset => 1 ], [ close => 'body' ],
             [ hang => 1 ])
{
    my $seen = $bad->count();
    $bad->set(@$set);
    wait_for { $bad->count() >= $seen + PROBES / 5 } 20, "probes: @$set";
}

wait_for { $good->count() >= PROBES } 20, 'probes that pass';
$bad->set();

my $peers = $node->peers('app');

for my $backend ($good, $bad) {
    my $peer = $peers->{$backend->address()};
    my $name = $backend->name();

    is($peer->{requests}, 0, "$name: no requests");
    is($peer->{fails}, 0, "$name: no fails");
    is($peer->{unavail}, 0, "$name: never unavailable");
    is($peer->{active}, 0, "$name: no connections");
    cmp_ok($peer->{health_checks}{checks}, '>=', PROBES / 5,
           "$name: but probes");
}

cmp_ok($peers->{$bad->address()}{health_checks}{fails}, '>', 0,
       'some of which failed');

is(join(' ', glob($node->prefix() . '/cache/*')), '', 'nothing is cached');
ok(!-e $node->prefix() . '/stored', 'nothing is stored');

# one request a minute: had a probe used it, this would be a 503

$bad->set(body => 'fresh');
$good->set(body => 'fresh');

wait_for { $node->peers('app')->{$bad->address()}{state} eq 'up' } 20,
    'the bad one to be back';

my $answer = $node->get('/page');

is($answer->{status}, 200, 'the only request of a minute is a client\'s');
is($answer->{body}, 'fresh', '... and is not answered with what a probe got');
is($node->get('/page')->{status}, 503, '... the next one is limited');

# a line is written when its answer has been sent

wait_for { slurp($node->prefix() . '/access.log') =~ /page.*page/s } 5,
    'both requests in the access log';
is(slurp($node->prefix() . '/access.log'), "/page\n/page\n",
   'the access log has the requests of clients alone');

sub slurp {
    my ($file) = @_;
    local (@ARGV, $/) = $file;
    return <>;
}

done_testing();
