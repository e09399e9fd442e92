#!/usr/bin/perl

# What requests did is counted where they ended: by server zone, location
# zone, cache and peer; the counters outlive a reload, and DELETE sets them
# to 0.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    proxy_cache_path %%PREFIX%%/cache keys_zone=objects:256k max_size=1m;

    upstream app {
        zone app 256k;
        server 127.0.0.1:%%PORT_back%%;
        server 127.0.0.1:%%PORT_none%% max_fails=1 fail_timeout=1h;
        keepalive 2;
    }

    upstream other {
        zone other 256k;
        server 127.0.0.1:%%PORT_back%%;
    }

    server {
        listen %%LISTEN_back%%;
        status_zone back;

        location / {
            return 200 "0123456789";
        }

        location /missing {
            return 404;
        }
    }

    server {
        listen %%LISTEN_front%%;
        status_zone front;

        location /app/ {
            status_zone app;
            proxy_pass http://app/;

            location /app/quiet/ {
                status_zone off;
                proxy_pass http://other/;
            }
        }

        location /cached/ {
            proxy_cache objects;
            proxy_cache_valid 1h;
            proxy_pass http://other/;
        }

        location /aux/ {
            auth_request /auth;
            proxy_pass http://app/;
        }

        location = /auth {
            internal;
            proxy_pass http://other/;
        }

        location /branch {
            if ($arg_x) {
                status_zone branch;
                return 204;
            }

            return 301 /;
        }

        location /moved {
            error_page 418 = @moved;
            return 418;
        }

        location @moved {
            status_zone moved;
            return 200;
        }

        location /closed {
            return 444;
        }
    }

    server {
        listen %%LISTEN_front%%;
        server_name second;
        status_zone front;
        return 403;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC

$node->start();

my $api = $node->address('api');
my $front = $node->address('front');

is_deeply([ api_get($api, '/api/9/http/server_zones?fields=') ],
          [ 200, [ 'back', 'front' ] ], 'names of server zones');
is_deeply([ sort @{(api_get($api, '/api/9/http/location_zones?fields='))[1]} ],
          [ qw/app branch moved/ ], 'names of location zones');

get($front, '/app/') for 1 .. 6;
get($front, '/app/missing');
get($front, '/app/quiet/') for 1 .. 2;
get($front, '/cached/');

# the file is there a moment after the answer

wait_for { glob($node->prefix() . '/cache/*') } 5, 'a cached answer';
get($front, '/cached/') for 1 .. 2;
get($front, '/aux/');
get($front, '/branch?x=1');
get($front, '/branch');
get($front, '/moved');
get($front, '/closed');
get($front, '/', headers => { Host => 'second' });
raw($front, "BAD\r\n\r\n");

happens { zone('http/server_zones/front')->{requests} == 19 } 3,
    'all requests are counted';

my $zone = zone('http/server_zones/front');

is_deeply([ sort keys %$zone ],
          [ qw/discarded processing received requests responses sent/ ],
          'members of a server zone');
is($zone->{processing}, 0, 'none is under way');
is($zone->{discarded}, 1, 'one was not answered');
is_deeply($zone->{responses},
          { '1xx' => 0, '2xx' => 14, '3xx' => 1, '4xx' => 3, '5xx' => 0,
            total => 18,
            codes => { 200 => 13, 204 => 1, 301 => 1, 400 => 1, 403 => 1,
                       404 => 1 } }, 'responses');
cmp_ok($zone->{sent}, '>', 18 * 100, 'bytes sent');
cmp_ok($zone->{received}, '>', 18 * 30, 'bytes received');

$zone = zone('http/location_zones/app');

is_deeply([ sort keys %$zone ],
          [ qw/discarded received requests responses sent/ ],
          'members of a location zone');
is($zone->{requests}, 7, 'a location, without its nested one');
is(zone('http/location_zones/branch')->{responses}{codes}{204}, 1,
   'a location of "if"');
is(zone('http/location_zones/moved')->{requests}, 1,
   'where processing ended');

# caches

my $cache = zone('http/caches/objects');

is_deeply([ sort keys %$cache ],
          [ qw/bypass cold expired hit max_size miss revalidated size stale
               updating/ ], 'members of a cache');
is($cache->{max_size}, 1048576, 'its limit');
is($cache->{hit}{responses}, 2, 'hits');
is($cache->{miss}{responses}, 1, 'misses');
is($cache->{miss}{responses_written}, 1, 'written');
is($cache->{miss}{bytes_written}, 10, 'bytes written');
is_deeply([ sort keys %{$cache->{hit}} ], [ qw/bytes responses/ ],
          'members of hits');

# peers

my ($good, $bad) = @{zone('http/upstreams/app')->{peers}};

is($good->{requests}, 8, 'requests of a peer');
is($good->{responses}{codes}{200}, 7, 'its responses');
is($good->{responses}{total}, 8, 'all of them');
cmp_ok($good->{received}, '>', 8 * 100, 'bytes it sent us');
cmp_ok($good->{sent}, '>', 8 * 20, 'bytes we sent it');
is($good->{response_time_hist}{count}, 8, 'histogram');
is(eval { my $sum = 0; $sum += $_
              for values %{$good->{response_time_hist}{buckets}}; $sum }, 8,
   'a request is in one bucket');
is_deeply([ sort { $a eq 'inf' ? 1 : $b eq 'inf' ? -1 : $a <=> $b }
                 keys %{$good->{response_time_hist}{buckets}} ],
          [ qw/5 10 25 50 75 100 250 500 750 1000 2500 5000 7500 10000 inf/ ],
          'buckets');
like($good->{selected}, qr/^20\d\d-.*Z$/, 'when it was selected');
is($good->{fails} + $good->{unavail} + $good->{downtime}, 0, 'never out');
ok(!exists $good->{downstart}, 'so no start of it');
ok(defined $good->{header_time} && defined $good->{response_time}, 'times');

is($bad->{requests}, 1, 'the dead peer was tried once');
is("$bad->{fails} $bad->{unavail} $bad->{state}", '1 1 unavail',
   'and is out');
is($bad->{responses}{total}, 0, 'it has answered nothing');
ok(!exists $bad->{$_}, "no $_")
    for qw/header_time response_time response_time_hist/;
happens { zone('http/upstreams/app')->{peers}[1]{downtime} > 0 } 5,
    'its downtime grows';
like(zone('http/upstreams/app')->{peers}[1]{downstart}, qr/^20\d\d-/,
     'since when');

is(zone('http/upstreams/other')->{peers}[0]{requests}, 4,
   'subrequests count, cache hits do not');

# workers, connections, requests

my $workers = zone('workers');

is(@$workers, 2, 'workers');
is_deeply([ sort map { $_->{pid} } @$workers ], [ sort $node->workers() ],
          'their processes');
is_deeply([ sort keys %{$workers->[0]} ], [ qw/connections http id pid/ ],
          'members of a worker');
cmp_ok($workers->[0]{http}{requests}{total}
       + $workers->[1]{http}{requests}{total}, '>', 40, 'requests of both');
is(zone('workers/1')->{id}, 1, 'one worker');

my $requests = zone('http/requests');

cmp_ok($requests->{total}, '>', 40, 'requests of the node');
is($requests->{current}, 1, 'this one is under way');

my $connections = zone('connections');

cmp_ok($connections->{accepted}, '>', 30, 'connections');
is($connections->{dropped}, 0, 'none dropped');

# a reload changes nothing

my $before = zone('http/server_zones/back');

$node->reload();

is_deeply(zone('http/server_zones/back'), $before,
          'counters outlive a reload');
is(zone('http/upstreams/app')->{peers}[0]{requests}, 8, 'those of peers, too');

# reset

for my $path (qw{http/server_zones/front http/location_zones/app
                 http/caches/objects processes connections http/requests
                 workers/0 workers slabs/app http/upstreams/app})
{
    my $r = request($api, 'DELETE', "/api/9/$path");
    is("$r->{status} $r->{body}", '204 ', "DELETE $path");
}

is(zone('http/server_zones/front')->{$_}, 0, "reset: $_")
    for qw/requests discarded received sent/;
is_deeply(zone('http/server_zones/front')->{responses}{codes}, {},
          'reset: codes');
is(zone('http/caches/objects')->{hit}{responses}, 0, 'reset: cache');
is(zone('http/upstreams/app')->{peers}[0]{$_}, 0, "reset: $_ of a peer")
    for qw/requests sent received fails/;
is(@{zone('http/upstreams/app')->{peers}}, 2, 'but the peers are there');
cmp_ok(zone('http/requests')->{total}, '<', 20, 'reset: requests');
cmp_ok(zone('connections')->{accepted}, '<', 20, 'reset: connections');

# a worker that dies is counted, what it had under way is not

is(zone('processes')->{respawned}, 0, 'no process has died');

$node->kill9_worker(zone("workers")->[0]{pid});

happens { zone('processes')->{respawned} == 1 } 5, 'one has';

done_testing();


sub zone {
    my ($path) = @_;
    return (api_get($api, "/api/9/$path"))[1];
}
