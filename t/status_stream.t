#!/usr/bin/perl

# Sessions of stream are counted where they ended, by server zone and peer.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_back%%;
        return 200 "0123456789";
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    upstream app {
        zone app 256k;
        server 127.0.0.1:%%PORT_back%%;
    }

    upstream gone {
        zone gone 256k;
        server 127.0.0.1:%%PORT_none%%;
        server 127.0.0.2:%%PORT_none%% max_fails=1 fail_timeout=1h;
    }

    server {
        listen %%LISTEN_front%%;
        status_zone front;
        proxy_pass app;
    }

    server {
        listen %%LISTEN_gone%%;
        status_zone gone;
        proxy_pass gone;
    }

    server {
        listen %%LISTEN_denied%%;
        status_zone denied;
        deny all;
        proxy_pass app;
    }
}
EOC

$node->start();

my $api = $node->address('api');

is(get($node->address('front'), '/')->{body}, '0123456789', 'through stream')
    for 1 .. 3;

my $open = Duplex::Connection->new($node->address('front'));
$open->get('/');

raw($node->address('gone'), "x");
raw($node->address('denied'), "x");

happens { page('stream/server_zones/front')->{sessions}{total} == 3 } 3,
    'three sessions have ended';

my $front = page('stream/server_zones/front');

is_deeply([ sort keys %$front ],
          [ qw/connections discarded processing received sent sessions/ ],
          'members of a zone');
is("$front->{processing} $front->{connections}", '1 4', 'one is open');
is_deeply($front->{sessions}, { '2xx' => 3, '4xx' => 0, '5xx' => 0,
                                total => 3 }, 'sessions');
cmp_ok($front->{sent}, '>', 3 * 100, 'bytes sent');
cmp_ok($front->{received}, '>', 3 * 30, 'bytes received');

is(page('stream/server_zones/gone')->{sessions}{'5xx'}, 1, 'no server: 5xx');
is(page('stream/server_zones/denied')->{sessions}{'4xx'}, 1, 'denied: 4xx');
is_deeply([ api_get($api, '/api/9/stream/server_zones?fields=') ],
          [ 200, [ qw/front gone denied/ ] ], 'names');

my $peer = page('stream/upstreams/app')->{peers}[0];

is($peer->{connections}, 4, 'connections of a peer');
cmp_ok($peer->{received}, '>', 3 * 100, 'bytes it sent us');
cmp_ok($peer->{sent}, '>', 3 * 30, 'bytes we sent it');
ok(defined $peer->{$_}, $_) for qw/connect_time first_byte_time response_time
                                   selected/;
ok(!exists $peer->{$_}, "no $_") for qw/requests responses header_time
                                        response_time_hist/;

my $gone = page('stream/upstreams/gone')->{peers};

is("$gone->[1]{fails} $gone->[1]{unavail} $gone->[1]{state}", '1 1 unavail',
   'a peer that refuses');
ok(!exists $gone->[1]{connect_time}, 'it was never connected');

is((api_get($api, '/api/9/stream/server_zones/x'))[1]{error}{code},
   'ServerZoneNotFound', 'no such zone');
is(request($api, 'DELETE', '/api/9/stream/server_zones/front')->{status}, 204,
   'reset');

$front = page('stream/server_zones/front');

is("$front->{processing} $front->{connections} $front->{sessions}{total}",
   '1 0 0', 'what is open stays');

done_testing();


sub page {
    my ($path) = @_;
    return (api_get($api, "/api/9/$path"))[1];
}
