#!/usr/bin/perl

# docs/api.yaml is the contract: each answer of a running pair, errors
# included, has the shape that it says, no member more; each path of the
# nodes stands in it, and each of its paths is asked for here.
#
# t/clients/openapi.py compares; skipped without python3-jsonschema and
# python3-yaml ("make deps-clients").

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use JSON::PP ();


plan(skip_all => 'no python3-jsonschema or no python3-yaml')
    if system('python3 -c "import jsonschema, yaml" 2> /dev/null') != 0;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my $pair = Duplex::Pair->new(backends => 3, conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
}

http {
    %%HTTP%%

    proxy_cache_path %%PREFIX%%/temp/cache keys_zone=cache:1m max_size=1m;
    limit_conn_zone $binary_remote_addr zone=conns:64k;
    limit_req_zone $binary_remote_addr zone=reqs:64k rate=1000r/s;
    resolver 127.0.0.1;

    keyval_zone zone=flags:64k timeout=1h sync;
    keyval $arg_k $flag zone=flags;

    upstream app {
        zone app 256k;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%% max_conns=100 slow_start=1s;
        server 127.0.0.23:%%PORT_none%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h sync;
        keepalive 16;
        queue 10;
        duplex_panic 10%;
    }

    upstream green {
        zone green 256k;
        server 127.0.0.22:%%PORT_backend%%;
    }

    upstream static {
        server 127.0.0.22:%%PORT_backend%%;
    }

    duplex_split $pool site {
        app    100 as=blue;
        green    0 as=green;
        key    $arg_key;
    }

    server {
        listen %%LISTEN_front%%;
        status_zone front;

        location / {
            status_zone place;
            proxy_pass http://app;
            health_check interval=200ms fails=1 passes=1 uri=/health;
        }

        location /pool {
            proxy_pass http://$pool;
        }

        location /cached {
            proxy_pass http://app;
            proxy_cache cache;
            proxy_cache_valid any 1h;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }

        location /read/ {
            api;
        }
    }
}

stream {
    keyval_zone zone=pools:64k;
    keyval $server_port $pool zone=pools;

    upstream sql {
        zone sql 256k;
        server 127.0.0.21:%%PORT_backend%%;
    }

    server {
        listen %%LISTEN_stream%%;
        status_zone gate;
        proxy_pass sql;
    }

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

$pair->start();

my $node = $pair->a();
my $api = $node->address('api');
my $front = $node->address('front');

# something to be shown: traffic, sessions, verdicts, a deployment

wait_for {
    my @peers = @{(api_get($api, '/api/9/http/upstreams/app'))[1]{peers}};
    $peers[2]{state} eq 'unhealthy' && !grep { $_->{state} ne 'up' } @peers[0, 1]
} 20, 'verdicts';

get($front, "/?k=$_", headers => { Cookie => "sid=s$_" }) for 1 .. 5;
get($front, '/cached') for 1 .. 2;
get($node->address('stream'), '/');

my @answers;
my @errors;

# changes: what they answer, and what refuses them

my $servers = '/9/http/upstreams/app/servers';
my $sql = '/9/stream/upstreams/sql/servers';
my $flags = '/9/http/keyvals/flags';

ask(201, POST => $servers, { server => '127.0.0.24:80', down => true });
ask(200, PATCH => "$servers/3", { drain => true, route => 'x' });
ask(200, PATCH => "$servers/3?dry_run=1", { weight => 5 });
ask(200, PUT => "$servers?dry_run=1", [ { server => '127.0.0.24:80' } ]);
ask(201, POST => $sql, { server => '127.0.0.24:80', down => true });
ask(200, PATCH => "$sql/1", { weight => 3 });
ask(200, PUT => "$sql?dry_run=1", [ { server => '127.0.0.24:80' } ]);

for my $try ([ 400, 'UpstreamBadServerId', PATCH => "$servers/x",
               { down => true } ],
             [ 400, 'UpstreamConfFormatError', POST => $servers, { x => 1 } ],
             [ 400, 'UpstreamBadAddress', POST => $servers,
               { server => '127.0.0.1:x' } ],
             [ 400, 'UpstreamBadWeight', PATCH => "$servers/3",
               { weight => 0 } ],
             [ 400, 'UpstreamBadMaxConns', PATCH => "$servers/3",
               { max_conns => -1 } ],
             [ 400, 'UpstreamBadMaxFails', PATCH => "$servers/3",
               { max_fails => -1 } ],
             [ 400, 'UpstreamBadFailTimeout', PATCH => "$servers/3",
               { fail_timeout => 'x' } ],
             [ 400, 'UpstreamBadSlowStart', PATCH => "$servers/3",
               { slow_start => 'x' } ],
             [ 400, 'UpstreamBadRoute', PATCH => "$servers/3",
               { route => 'x' x 33 } ],
             [ 400, 'UpstreamStatic', GET => '/9/http/upstreams/static' ],
             [ 404, 'UpstreamNotFound', GET => '/9/http/upstreams/none' ],
             [ 404, 'UpstreamServerNotFound', GET => "$servers/99" ],
             [ 404, 'UnknownVersion', GET => '/10/nginx' ],
             [ 404, 'PathNotFound', GET => '/9/none' ],
             [ 404, 'ServerZoneNotFound', GET => '/9/http/server_zones/x' ],
             [ 404, 'ServerZoneNotFound', GET => '/9/stream/server_zones/x' ],
             [ 404, 'LocationZoneNotFound',
               GET => '/9/http/location_zones/x' ],
             [ 404, 'CacheNotFound', GET => '/9/http/caches/x' ],
             [ 404, 'SlabNotFound', GET => '/9/slabs/x' ],
             [ 404, 'WorkerNotFound', GET => '/9/workers/99' ],
             [ 404, 'LimitConnNotFound', GET => '/9/http/limit_conns/x' ],
             [ 404, 'LimitConnNotFound', GET => '/9/stream/limit_conns/x' ],
             [ 404, 'LimitReqNotFound', GET => '/9/http/limit_reqs/x' ],
             [ 404, 'ResolverZoneNotFound', GET => '/9/resolvers/x' ],
             [ 404, 'KeyvalNotFound', GET => '/9/http/keyvals/x' ],
             [ 404, 'KeyvalNotFound', GET => '/9/stream/keyvals/x' ],
             [ 404, 'KeyvalKeyNotFound', GET => "$flags?key=x" ],
             [ 409, 'EntryExists', POST => $servers,
               { server => '127.0.0.24:80' } ],
             [ 415, 'JsonError', POST => $servers, \'{' ],
             [ 400, 'BodyReadError', POST => $servers, \'' ],
             [ 413, 'BodyReadError', POST => $servers, \('x' x 1000000) ],
             [ 400, 'KeyvalFormatError', POST => $flags, [] ],
             [ 405, 'MethodDisabled', PUT => $flags, {} ],
             [ 404, 'SessionZoneNotFound', GET => '/duplex/sessions/x' ],
             [ 404, 'SessionNotFound',
               GET => '/duplex/sessions/sessions?value=x' ],
             [ 404, 'SplitNotFound', GET => '/duplex/splits/x' ],
             [ 404, 'DeploymentNotFound', GET => '/duplex/deployments/site' ],
             [ 400, 'DeploymentFormatError', POST => '/duplex/deployments',
               {} ],
             [ 400, 'SplitBadWeight', PATCH => '/duplex/splits/site',
               { weights => { green => 101 } } ],
             [ 400, 'NodeFormatError', PATCH => '/duplex/node', { x => 1 } ],
             [ 400, 'WaitFormatError', PATCH => "$servers/3?wait=x", {} ],
             [ 400, 'ReasonTooLong',
               PATCH => '/duplex/splits/site?reason=' . 'x' x 256,
               { weights => { green => 5 } } ],
             [ 400, 'ExplainArguments', GET => '/duplex/explain/peer' ],
             [ 400, 'UpstreamNotSticky',
               GET => '/duplex/explain/request?upstream=green' ],
             [ 400, 'EventsBadId', GET => '/duplex/events?since=x' ])
{
    my ($status, $code, @what) = @$try;
    is(ask($status, @what)->{error}{code}, $code, "$what[1]: $code");
}

ask(201, POST => $flags, { a => '1' });
is(ask(409, POST => $flags, { a => '1' })->{error}{code}, 'KeyvalKeyExists',
   'KeyvalKeyExists');
ask(204, PATCH => $flags, { a => { value => '2', expire => 60000 } });
ask(201, POST => '/9/stream/keyvals/pools', { a => '1' });
ask(204, PATCH => '/9/stream/keyvals/pools', { a => '2' });
ask(200, PATCH => '/duplex/splits/site', { weights => { green => 5 } });
ask(201, POST => '/duplex/deployments',
    { split => 'site', to => 'green', steps => [ 50, 100 ], every => '1h' });
is(ask(409, POST => '/duplex/deployments', { split => 'site', to => 'green' })
   ->{error}{code}, 'DeploymentInProgress', 'DeploymentInProgress');

# all that there is, found by following the names

my %template = (
    'http/server_zones' => 'front', 'http/location_zones' => 'place',
    'stream/server_zones' => 'gate', 'http/caches' => 'cache',
    'http/keyvals' => 'flags', 'stream/keyvals' => 'pools',
    'http/upstreams' => 'app', 'stream/upstreams' => 'sql',
    'slabs' => 'app', 'workers' => 0, 'duplex/splits' => 'site',
    'duplex/deployments' => 'site', 'duplex/sessions' => 'sessions');

wait_for {
    @{(api_get($api, '/api/duplex/deployments/site'))[1]{nodes} || []} == 2
} 20, 'both nodes are in the deployment';

ask(200, GET => '/');
ask(200, GET => '/duplex/events/recent');
ask(200, GET => '/duplex/explain');
follow('9');

ask(200, PATCH => '/duplex/deployments/site', { action => 'rollback' });
wait_for {
    @{(api_get($api, '/api/duplex/deployments/site/history'))[1]}
} 20, 'it is history';
ask(200, GET => '/duplex/deployments/site/history');

my $id = ask(200, GET => '/duplex/sessions/sessions')->{sessions}[0]{id};

if (ok($id, 'a session')) {
    ask(200, GET => "/duplex/sessions/sessions/$id");
    ask(200, PATCH => "/duplex/sessions/sessions/$id",
        { server => '127.0.0.22:' . $node->port('backend') });
    ask(204, DELETE => "/duplex/sessions/sessions/$id");
}

ask(200, GET => "/duplex/explain/peer?upstream=app&server=$_") for 0 .. 2;
ask(200, GET => "/duplex/explain/request?upstream=app$_") for '', '&value=s1';
ask(200, GET => '/9/http/upstreams?fields=');
ask(200, GET => "/9/http/upstreams/app$_") for '', '/';

# what clears, and what takes away

ask(204, DELETE => "/9/$_")
    for qw{processes connections http/requests http/server_zones/front
           http/location_zones/place http/caches/cache stream/server_zones/gate
           slabs/app workers/0 workers http/upstreams/app stream/upstreams/sql
           http/keyvals/flags stream/keyvals/pools duplex/sessions/sessions};
ask(200, DELETE => "$servers/3");
ask(200, DELETE => "$sql/1");

for my $of ('', '/http', '/http/app', '/http/app/0', '/http/app/0/weight') {
    ask(200, PATCH => "$servers/0", { weight => 7 });
    ask(200, GET => "/duplex/overrides$of");
    ask(200, DELETE => "/duplex/overrides$of");
}

ask(204, PATCH => '/duplex/node', { leaving => false });

# and now: does the contract say so?

my $file = $node->prefix() . '/answers.json';

open my $fh, '>', $file or die "$file: $!";
print $fh $json->encode(\@answers);
close $fh;

my @faults = split /\n/, `python3 $FindBin::Bin/clients/openapi.py \\
    $FindBin::Bin/../docs/api.yaml $file 2>&1`;

is($?, 0, 'docs/api.yaml was read, and compared');
is(join("\n", @faults), '', scalar(@answers) . ' answers are as it says');


done_testing();


sub ask {
    my ($status, $method, $path, $data) = @_;

    my $body = !defined $data ? undef
             : ref $data eq 'SCALAR' ? $$data : $json->encode($data);

    my $r = request($api, $method, "/api$path",
                    defined $body ? (body => $body) : ());

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is($r->{status}, $status, "$method $path: $status")
        or diag($r->{body});

    my $decoded = eval { $json->decode($r->{body}) };

    push @answers, { method => $method, path => $path,
                     status => $r->{status},
                     type => $r->{headers}{'content-type'} || '',
                     length $r->{body} ? (body => $decoded) : () };

    return ref $decoded eq 'HASH' ? $decoded : { list => $decoded };
}


sub follow {
    my ($path) = @_;

    my ($plain) = $path =~ m{^9/?(.*)};

    return if $plain eq 'duplex/events';            # has no end

    if ($plain eq 'duplex/explain' || $plain eq 'duplex/explain/peer'
        || $plain eq 'duplex/explain/request')
    {
        return;                                     # wants arguments
    }

    my $answer = ask(200, GET => "/$path");
    my $list = $answer->{list};

    if (defined $template{$plain}) {
        follow("$path/$template{$plain}");

    } elsif ($plain =~ m{^\w+/upstreams/\w+$}) {
        follow("$path/servers");

    } elsif ($plain =~ m{/servers$}) {
        follow("$path/0");

    } elsif ($list && @$list && !ref $list->[0]) {
        follow("$path/$_") for @$list;
    }
}
