#!/usr/bin/perl

# Every path of the API answers as version 9 of Plus does, with and without a
# slash at the end, in all versions, and names only what is there.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.1:%%PORT_b1%%;
        server 127.0.0.2:%%PORT_b1%% weight=3 max_conns=5 max_fails=2
               fail_timeout=7s;
        server 127.0.0.4 down;
        server 127.0.0.3:%%PORT_b1%% backup;
    }

    upstream static {
        server 127.0.0.1:%%PORT_b1%%;
    }

    log_format id "$request_id";

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
            access_log %%PREFIX%%/ids.log id;
        }

        location /noslash {
            api;
        }

        location = /only {
            api;
        }

        location /limited/ {
            api write=on;

            limit_except GET {
                deny all;
            }
        }

        location /guarded/ {
            api write=on;

            limit_except GET {
                allow 127.0.0.1;
                deny all;
            }
        }

        location /branch/ {
            api write=on;

            if ($arg_x) {
                set $y $arg_x;
            }
        }

        location = /ready {
            duplex_ready;
        }
    }
}
EOC

$node->start();

my $api = $node->address('api');
my $b1 = $node->port('b1');

# versions

is_deeply([ api_get($api, '/api/') ], [ 200, [ 1 .. 9 ] ], 'versions');
is_deeply([ api_get($api, '/noslash') ], [ 200, [ 1 .. 9 ] ],
          'versions at a location without a slash');
is_deeply([ api_get($api, '/noslash/') ], [ 200, [ 1 .. 9 ] ],
          'versions at such a location, with a slash');
is_deeply([ api_get($api, '/only') ], [ 200, [ 1 .. 9 ] ],
          'versions at an exact location');

for my $version (1 .. 9) {
    my ($status, $data) = api_get($api, "/api/$version/http/upstreams/app");
    is_deeply([ $status, sort keys %$data ],
              [ 200, 'peers', 'zombies', 'zone' ], "version $version");
}

error($_, 404, 'UnknownVersion')
    for qw{/api/10 /api/0/ /api/09/ /api/99999999999999999999/ /api/x
           /api/9x/ /api/-1/ /api/http/upstreams};

# lists of names

names('/api/9', qw/connections duplex http nginx processes resolvers slabs ssl
                  workers/);
my @http = qw/caches keyvals limit_conns limit_reqs location_zones requests
              server_zones upstreams/;

names('/api/9/http', @http);
names('/api/9/duplex', qw/events explain node nodes overrides
    ready/);
names('/api/duplex', qw/events explain node nodes overrides
    ready/);
names('/noslash/9/http', @http);
names('/limited/9/http', @http);
names('/branch/9/http', @http);

is_deeply([ api_get($api, '/branch/9/http?x=1') ], [ 200, \@http ],
          'inside "if"');

# groups

my @peers = (
    { id => 0, server => "127.0.0.1:$b1", name => "127.0.0.1:$b1",
      backup => false, weight => 1, state => 'up', active => 0 },
    { id => 1, server => "127.0.0.2:$b1", name => "127.0.0.2:$b1",
      backup => false, weight => 3, state => 'up', active => 0,
      max_conns => 5 },
    { id => 2, server => "127.0.0.4:80", name => "127.0.0.4",
      backup => false, weight => 1, state => 'down', active => 0 },
    { id => 3, server => "127.0.0.3:$b1", name => "127.0.0.3:$b1",
      backup => true, weight => 1, state => 'up', active => 0 },
);

for my $path (both('/api/9/http/upstreams')) {
    my ($status, $data) = api_get($api, $path);

    is($status, 200, $path);
    is_deeply([ keys %$data ], [ 'app' ], "$path: the group with a zone");
    is($data->{app}{zone}, 'app', "$path: its zone");
}

for my $path (both('/api/9/http/upstreams/app')) {
    my ($status, $data) = api_get($api, $path);

    is($status, 200, $path);
    is($data->{zone}, 'app', "$path: zone");
    is($data->{zombies}, 0, "$path: zombies");

    for my $i (0 .. 3) {
        my $want = $peers[$i];
        my %known = map { $_ => $data->{peers}[$i]{$_} } keys %$want;

        is_deeply(\%known, $want, "$path: peer $i");
    }

    is(@{$data->{peers}}, 4, "$path: all peers");
    ok(!exists $data->{peers}[0]{max_conns}, "$path: no limit is not shown");
}

error($_, 404, 'UpstreamNotFound')
    for both('/api/9/http/upstreams/none'),
        '/api/9/http/upstreams/App', '/api/9/http/upstreams/none/servers/0';
error($_, 400, 'UpstreamStatic')
    for both('/api/9/http/upstreams/static'),
        both('/api/9/http/upstreams/static/servers'),
        '/api/9/http/upstreams/static/servers/0';

# servers

my @servers = (
    server(id => 0, server => "127.0.0.1:$b1"),
    server(id => 1, server => "127.0.0.2:$b1", weight => 3, max_conns => 5,
           max_fails => 2, fail_timeout => '7s'),
    server(id => 2, server => "127.0.0.4:80", down => true),
    server(id => 3, server => "127.0.0.3:$b1", backup => true),
);

for my $path (both('/api/9/http/upstreams/app/servers')) {
    is_deeply([ api_get($api, $path) ], [ 200, \@servers ], $path);
}

for my $i (0 .. 3) {
    for my $path (both("/api/9/http/upstreams/app/servers/$i")) {
        is_deeply([ api_get($api, $path) ], [ 200, $servers[$i] ], $path);
    }
}

error("/api/9/http/upstreams/app/servers/$_", 400, 'UpstreamBadServerId')
    for qw/x -1 1x 99999999999999999999 %20/;
error("/api/9/http/upstreams/app/servers/$_", 404, 'UpstreamServerNotFound')
    for qw/4 999999/;

# this node

for my $path (both('/api/9/nginx')) {
    my ($status, $nginx) = api_get($api, $path);
    my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

    is($status, 200, $path);
    like($nginx->{version}, qr/^1\.\d+\.\d+$/, "$path: version");
    is($nginx->{address}, '127.0.0.1', "$path: address");
    is($nginx->{generation}, 1, "$path: generation");
    is($nginx->{ppid}, $node->pid(), "$path: ppid");
    ok((grep { $_ == $nginx->{pid} } $node->workers()), "$path: pid");
    like($nginx->{load_timestamp}, $time, "$path: load_timestamp");
    like($nginx->{timestamp}, $time, "$path: timestamp");
}

for my $path (both('/api/9/duplex/node'), both('/api/duplex/node')) {
    my ($status, $data) = api_get($api, $path);

    is($status, 200, $path);
    is($data->{name}, 'a', "$path: name");
    like($data->{id}, qr/^[0-9a-f]{16}$/, "$path: id");
    like($data->{incarnation}, qr/^[0-9a-f]{16}$/, "$path: incarnation");
    is($data->{generation}, 1, "$path: generation");
    is($data->{zones}{'duplex:store'}{records}, 0, "$path: records");
    cmp_ok($data->{zones}{'duplex:store'}{free}, '>', 0, "$path: free");
}

happens {
    my ($status, $data) = api_get($api, '/api/duplex/node');
    grep { $_ == ($data->{lease_holder} || 0) } $node->workers();
} 3, 'a worker holds the lease';

is_deeply([ api_get($api, $_) ], [ 200, [] ], $_)
    for both('/api/9/duplex/nodes'), '/api/duplex/nodes';

for my $path (both('/api/9/duplex/ready'), '/api/duplex/ready', '/ready') {
    my ($status, $data) = api_get($api, $path);
    is_deeply([ $status, $data->{ready}, $data->{state} ],
              [ 200, true, 'ready' ], $path);
}

# what is not there

error($_, 404, 'PathNotFound')
    for both('/api/9/stream'), '/api/9/stream/zone_sync', '/api/9/x',
        '/api/9/http/x', '/api/9/http/upstreams/app/x',
        '/api/9/http/upstreams/app/servers/0/x', '/api/9/nginx/x',
        '/api/9/1/http', '/api/9/duplex/x', '/api/9/a/b/c/d/e/f/g/h/i/j',
        '/api/9/http%20/upstreams', '/noslashx', '/noslashx/9/http',
        '/api/9/*', '/api/9/http/upstreams/app/*';

# fields

is_deeply([ api_get($api, '/api/9/http/upstreams/?fields=') ],
          [ 200, [ 'app' ] ], 'names of a collection');
is_deeply([ api_get($api, '/api/9/http/upstreams?fields=zone') ],
          [ 200, { app => { zone => 'app' } } ], 'fields of a collection');
is_deeply([ api_get($api, '/api/9/http/upstreams/app?fields=zone,zombies') ],
          [ 200, { zone => 'app', zombies => 0 } ], 'fields of an object');
is_deeply([ api_get($api, '/api/9/http/upstreams/app/servers?fields=id') ],
          [ 200, [ map { { id => $_ } } 0 .. 3 ] ], 'fields of an array');
is_deeply([ api_get($api, '/api/9/http/upstreams/app?fields=a%2czone,,b') ],
          [ 200, { zone => 'app' } ], 'unknown fields, an escaped comma');
is_deeply([ api_get($api, '/api/9/http/upstreams/app?fields=x') ],
          [ 200, {} ], 'no known field');

# HEAD

for my $path ('/api/', '/api/9/http/upstreams/app', '/api/9/x', '/ready') {
    my $get = request($api, 'GET', $path);
    my $head = request($api, 'HEAD', $path);

    is($head->{status}, $get->{status}, "HEAD $path: status");
    is($head->{body}, '', "HEAD $path: no body");
    is($get->{headers}{'content-type'}, 'application/json',
       "GET $path: type");
    is($get->{headers}{'content-length'}, length $get->{body},
       "GET $path: length");
    is($head->{headers}{$_}, $get->{headers}{$_}, "HEAD $path: $_")
        for qw/content-type content-length/;
}

# the error carries the request's id, as the access log has it

my (undef, $data) = api_get($api, '/api/9/unknown');

happens {
    open(my $f, '<', $node->prefix() . '/ids.log') or return 0;
    grep { $_ eq "$data->{request_id}\n" } <$f>;
} 3, 'request_id is $request_id';

# read-only, and methods that nothing offers

for my $method (qw/POST PUT PATCH DELETE OPTIONS/) {
    for my $path ('/api/', '/api/9/http/upstreams/app',
                  '/api/9/http/upstreams/app/servers/',
                  '/api/9/http/upstreams/app/servers/0',
                  '/api/9/duplex/node')
    {
        my $r = request($api, $method, $path, body => '{"down":true}');
        my $error = JSON::PP::decode_json($r->{body})->{error};

        is("$r->{status} $error->{code}", '405 MethodDisabled',
           "$method $path");
        is($r->{headers}{allow}, 'GET, HEAD', "$method $path: allow");
    }
}

is(request($api, 'PATCH', '/limited/9/http/upstreams/app/servers/0',
           body => '{}')->{status}, 403, 'limit_except refuses');
is(request($api, 'PATCH', '/guarded/9/http/upstreams/app/servers/0',
           body => '{}')->{status}, 200, 'limit_except lets through');
is(request($api, 'PATCH', '/branch/9/http/upstreams/app/servers/0?x=1',
           body => '{}')->{status}, 200, 'PATCH inside "if"');
is(request($api, 'POST', '/ready', body => 'x')->{status}, 405,
   'POST to duplex_ready');

done_testing();


sub both {
    my ($path) = @_;
    return ($path, "$path/");
}


sub names {
    my ($path, @names) = @_;

    for (both($path)) {
        is_deeply([ api_get($api, $_) ], [ 200, \@names ], "$_: names");
    }
}


sub server {
    return {
        weight => 1, max_conns => 0, max_fails => 1, fail_timeout => '10s',
        slow_start => '0s', route => '', backup => false, down => false, @_
    };
}


sub error {
    my ($path, $status, $code) = @_;

    my ($got, $data) = api_get($api, $path);

    is(ref $data eq 'HASH' ? "$got $data->{error}{status} $data->{error}{code}"
                           : "$got $data",
       "$status $status $code", "$path: $code");
    like($data->{error}{text}, qr/\w/, "$path: text");
    like($data->{request_id}, qr/^[0-9a-f]{32}$/, "$path: request_id");
    like($data->{href}, qr{^https://}, "$path: href");
}
