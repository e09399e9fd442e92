#!/usr/bin/perl

# Readiness has a status code, and pages of features stand in the API's lists
# beside the API's own.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        %%SERVERS%%
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }

        location = /ready {
            duplex_ready;
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

my ($one, $other) = $pair->nodes();
my $api = $one->address('api');

# no other node answers: not ready for three seconds

$one->start();

my ($status, $ready) = api_get($api, '/ready');

is($status, 503, 'not ready at the start');
is($ready->{ready}, false, 'and says so');
like($ready->{reason}, qr/\w/, 'and why');
is((request($api, 'HEAD', '/ready'))->{status}, 503, 'HEAD');
is((api_get($api, '/api/9/duplex/ready'))[0], 200,
   'the page of the API can be read all the same');

happens { request($api, 'GET', '/ready')->{status} == 200 }
    8, 'ready when no listed node can be reached';

($status, $ready) = api_get($api, '/ready');
is_deeply([ @$ready{qw/ready state/} ], [ true, 'ready' ], 'the words');

# the pages of sync

$other->start();
$pair->wait_linked();

for my $path ('/api/9', '/api/9/') {
    is_deeply([ sort @{(api_get($api, $path))[1]} ],
              [ qw/connections duplex http nginx processes resolvers slabs ssl
                  stream workers/ ], "$path: names");
}

for my $path ('/api/9/stream', '/api/9/stream/', '/api/3/stream') {
    is_deeply([ api_get($api, $path) ], [ 200, [ qw/keyvals limit_conns server_zones upstreams
                        zone_sync/ ] ],
              $path);
}

for my $path ('/api/9/stream/zone_sync', '/api/9/stream/zone_sync/') {
    my ($status, $sync) = api_get($api, $path);

    is($status, 200, $path);
    is_deeply([ sort keys %$sync ], [ 'status', 'zones' ], "$path: members");
    is($sync->{status}{nodes_online}, 1, "$path: nodes_online");
    is_deeply([ sort keys %{$sync->{status}} ],
              [ qw/bytes_in bytes_out msgs_in msgs_out nodes_online/ ],
              "$path: status");
}

is_deeply([ keys %{(api_get($api,
              '/api/9/stream/zone_sync?fields=status'))[1]} ],
          [ 'status' ], 'fields of a view');
is_deeply([ api_get($api, '/api/duplex/nodes?fields=name,state') ],
          [ 200, [ { name => 'b', state => 'online' } ] ],
          'fields of an array of a view');

my $names = (api_get($api, '/api/9/duplex/'))[1];

is_deeply($names, [ sort keys %{{ map { $_ => 1 } @$names }} ],
          'no name twice');
is_deeply([ grep { /^(?:events|node|nodes|ready)$/ } @$names ],
          [ qw/events node nodes ready/ ], 'pages and views');

is((api_get($api, '/api/9/stream/zone_sync/x'))[1]{error}{code},
   'PathNotFound', 'nothing below a view');
is((api_call($api, 'DELETE', '/api/9/stream/zone_sync'))[1]{error}{code},
   'MethodDisabled', 'a view is only read');

# what one node is told is in force on the other

my $server = '/api/9/http/upstreams/app/servers/1';

is((api_patch($api, $server, { drain => true }))[1]{drain}, true,
   'drain on a');
happens { (api_get($other->address('api'), $server))[1]{drain} }
    3, 'draining on b';

is((api_patch($other->address('api'), $server, { down => false }))[0], 200,
   'up on b');
happens { !(api_get($api, $server))[1]{drain} } 3, 'up on a';

done_testing();
