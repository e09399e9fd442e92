#!/usr/bin/perl

# fails=, passes=, port= and mandatory do what they say; a probe is seen by
# the server and by nobody else.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my ($b1, $b2, $b3, $other) = map { Duplex::Backend->new(name => "b$_") } 1 .. 4;

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $b1->address(), be2 => $b2->address(),
              be3 => $b3->address(), other => $other->port() },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    log_format probe '$request_uri';

    upstream counted {
        zone counted 256k;
        server %%be1%% max_fails=1;
    }

    upstream ported {
        zone ported 256k;
        server %%be2%%;
    }

    upstream checked {
        zone checked 256k;
        server %%be3%%;
    }

    server {
        listen %%LISTEN_front%%;
        server_name "";

        access_log %%PREFIX%%/access.log probe;

        location / {
            proxy_pass http://counted;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            health_check interval=100ms jitter=0 keepalive_time=0 fails=3
                         passes=2 uri=/probe;
        }

        location /ported {
            proxy_pass http://ported/;
            health_check interval=100ms jitter=20ms port=%%other%% uri=/probe;
        }

        location /checked {
            proxy_pass http://checked;
            proxy_set_header X-Test $upstream_addr;
            proxy_read_timeout 1s;
            health_check interval=100ms mandatory persistent uri=/probe;
        }
    }
}
EOC
);

# mandatory: the first probe hangs, so there is no verdict

$b3->set_for('/probe', hang => 1);

$node->start();

is($node->get('/checked')->{status}, 502, 'mandatory: not before a verdict');
is($b3->count(uri => qr{^/checked}), 0, '... no request came through');

wait_for { $b3->count(uri => qr{^/probe}) } 5, 'the first probe';

$b3->set_for('/probe');

like($node->wait_log(qr/upstream "checked" is now unhealthy/),
     qr/timeout after \d+ms: no answer \(1 of 1\)$/, '... a probe that hangs fails');
like($node->wait_log(qr/upstream "checked" is now up/),
     qr/200 \(1 of 1\)$/, '... up with the first that passes');

is($node->get('/checked')->{status}, 200, '... and has traffic then');

# fails=3 passes=2

wait_for { $b1->count() >= 2 } 5, 'probes';

my $mark = $node->mark();
my $since = time();
$b1->set_for('/probe', status => 503);

like($node->wait_log(qr/upstream "counted" is now/, 5, $mark),
     qr/unhealthy: status 503 \(3 of 3\)$/, 'fails=3');
is($b1->count(uri => qr{^/probe}, since => $since), 3, '... after three');

$since = time();
$mark = $node->mark();
$b1->set_for('/probe');

like($node->wait_log(qr/upstream "counted" is now/, 5, $mark),
     qr/up: 200 \(2 of 2\)$/, 'passes=2');
is($b1->count(uri => qr{^/probe}, since => $since), 2, '... after two');

# the other port decides

wait_for { $other->count() >= 2 } 5, 'probes of the other port';

$other->set(status => 500);
$node->wait_log(qr/upstream "ported" is now unhealthy/);
is($node->get('/ported')->{status}, 502, 'port=: the verdict counts');
is($b2->count(), 0, '... the server itself saw no probe');

$other->set();
$node->wait_log(qr/upstream "ported" is now up/);
is($node->get('/ported')->{status}, 200, '... and is up again');

# what a probe looks like, and what it leaves

my ($probe) = $b1->requests(uri => qr{^/probe});

is($probe->{headers}{host}, 'counted', 'without server_name: the group');

my $log = do { local (@ARGV, $/) = $node->prefix() . '/access.log'; <> };
unlike($log, qr/probe/, 'the access log knows nothing of probes');
like($log, qr{^/checked$}m, '... but of requests');

# The verdict was 503 many times over: had a probe counted as a request, the
# only server, with max_fails=1, would be in quarantine now.

$mark = $node->mark();
$b1->set_for('/probe', reset => 1);
$node->wait_log(qr/upstream "counted" is now unhealthy/, 5, $mark);
$b1->set_for('/probe');
$node->wait_log(qr/upstream "counted" is now up/, 5, $mark);
is($node->get('/')->{status}, 200, 'no quarantine after failed probes');

done_testing();
