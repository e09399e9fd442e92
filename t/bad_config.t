#!/usr/bin/perl

# Every directive and every parameter refuses a bad value at nginx -t, quotes
# it and says where it stands.
#
# What there is comes from the tables in modules/*/*.c, so a new directive
# without a case here fails this test.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my %context = (
    main => "%s\n events { } http { }",

    upstream => "events { } http { upstream app { zone app 1m;\n %s }
                 server { location / { proxy_pass http://app; } } }",

    location => "events { } http { upstream app { zone app 1m;
                 server 127.0.0.1:1; } server { location / {
                 proxy_pass http://app;\n %s } } }",

    server => "events { } http { server {\n %s } }",

    http => "events { } http {\n %s }",

    stream => "events { } stream {\n %s\n server { listen %%LISTEN_sync%%;
               zone_sync; zone_sync_server 127.0.0.1:1; } }",

    stream_server => "events { } stream { upstream app { zone app 1m;
                      server 127.0.0.1:1; } match ok { send x; } server {
                      listen %%LISTEN_front%%; proxy_pass app;\n %s } }",

    stream_check => "events { } stream { upstream app { zone app 1m;
                     server 127.0.0.1:1; } upstream bare {
                     server 127.0.0.1:1; } map \$protocol \$v { default app; }
                     server { listen %%LISTEN_front%%;\n %s health_check; }
                     }",

    split => "events { } http { upstream blue { server 127.0.0.1:1; }
              upstream green { server 127.0.0.1:2; }
              duplex_split \$pool app {\n %s } }",

    http => "events { } http { upstream blue { server 127.0.0.1:1; }
             upstream green { server 127.0.0.1:2; }\n %s }",

    sync => "events { } stream { server { listen %%LISTEN_sync%%;\n %s } }",
);

my $SERVER = 'server 127.0.0.1:1;';
my $LEARN = 'sticky learn create=$arg_a lookup=$arg_b';


# name => [ context, what is written, what must be quoted ]
my %bad = (
    'duplex_node' => [
        main => 'duplex_node "a b";', '"a b"',
        main => 'duplex_node ' . 'x' x 64 . ';', '"' . 'x' x 64 . '"',
        main => 'duplex_node "";', '""',
    ],

    'duplex_cluster' => [
        main => 'duplex_cluster "a b";', '"a b"',
        main => 'duplex_cluster a; duplex_cluster b;', '"duplex_cluster"',
    ],

    'keyval_zone' => [
        http => 'keyval_zone timeout=1s;', '"zone"',
        http => 'keyval_zone zone=a:1m; keyval_zone zone=a:1m;', '"a"',
        http => 'keyval_zone zone=a:4k;', '"a"',
        http => 'keyval_zone zone=a:1m colour=red;', '"colour=red"',
        stream => 'keyval_zone zone=a:1m type=x;', '"x"',
    ],

    'ngx_duplex_keyval_params zone' => [
        http => 'keyval_zone zone=a;', '"a"',
        http => 'keyval_zone zone=:1m;', '":1m"',
        http => 'keyval_zone zone=a:x;', '"a:x"',
        http => 'keyval_zone zone=a/b:1m;', '"a/b:1m"',
    ],

    'ngx_duplex_keyval_params state' => [
        http => 'keyval_zone zone=a:1m state=;', '""',
    ],

    'ngx_duplex_keyval_params timeout' => [
        http => 'keyval_zone zone=a:1m timeout=x;', '"x"',
        http => 'keyval_zone zone=a:1m timeout=0;', '"0"',
    ],

    'ngx_duplex_keyval_params type' => [
        http => 'keyval_zone zone=a:1m type=number;', '"number"',
    ],

    'ngx_duplex_keyval_params sync' => [
        http => 'keyval_zone zone=a:1m sync=on;', '"sync=on"',
    ],

    'keyval' => [
        http => 'keyval $uri v zone=a;', '"v"',
        http => 'keyval $uri $v zone;', '"zone"',
        http => 'keyval_zone zone=a:1m; keyval $uri $v zone=a;
                 keyval $arg_a $v zone=a;', '"$v"',
        http => 'keyval $uri $v zone=a;', '"a"',
        stream => 'keyval $server_port $v zone=a;', '"a"',
        stream => 'keyval_zone zone=a:1m; keyval $server_port v zone=a;',
            '"v"',
    ],

    'status_zone' => [
        location => 'status_zone a/b;', '"a/b"',
        server => 'status_zone "";', '""',
        server => 'status_zone a; status_zone b;', 'duplicate',
        stream_server => 'status_zone a/b;', '"a/b"',
        stream_server => 'status_zone a; status_zone a;', 'duplicate',
    ],

    'status: off' => [
        location => 'status_zone a; status_zone off;', 'duplicate',
    ],

    'ngx_duplex_journal_params interval' => [
        main => 'duplex_store temp/store interval=0;', '"0"',
        main => 'duplex_store temp/store interval=soon;', '"soon"',
        main => 'duplex_store temp/store colour=red;', '"colour=red"',
    ],

    'duplex_tombstone_lifetime' => [
        main => 'duplex_tombstone_lifetime 999ms;', '"999ms"',
        main => 'duplex_tombstone_lifetime soon;', '"soon"',
    ],

    'duplex_store_size' => [
        main => 'duplex_store_size 4x;', '"4x"',
        main => 'duplex_store_size 63k;', '"63k"',
        main => 'duplex_store_size -1;', '"-1"',
    ],

    'duplex_store' => [
        main => 'duplex_store "";', '""',
        main => 'duplex_store /dev/null;', '"/dev/null"',
        main => 'duplex_store /dev/null/x;', '"/dev/null/x"',
        main => 'duplex_store /nowhere/at/all;', '"/nowhere/at/all"',
        main => 'duplex_store a; duplex_store b;', '"duplex_store"',
        main => 'duplex_store ' . 'x/' x 2100 . ';', 'x/x/x',
    ],

    # upstream

    'server' => [
        upstream => 'server 127.0.0.1:99999;', '"127.0.0.1:99999"',
        upstream => "$SERVER server 127.0.0.2:1 colour=red;", '"colour=red"',
    ],

    'upstream: route' => [
        upstream => 'server 127.0.0.1:1 route=;', '"route="',
        upstream => 'server 127.0.0.1:1 route=' . 'x' x 33 . ';',
            '"route=' . 'x' x 33 . '"',
        upstream => 'server 127.0.0.1:1 route=a route=b;', '"route=b"',
    ],

    'upstream: down' => [
        upstream => 'server 127.0.0.1:1 down=1;', '"down=1"',
    ],

    'upstream: drain' => [
        upstream => 'server 127.0.0.1:1 drain=1;', '"drain=1"',
    ],

    'duplex_panic' => [
        upstream => "$SERVER duplex_panic 30;", '"30"',
        upstream => "$SERVER duplex_panic 0%;", '"0%"',
        upstream => "$SERVER duplex_panic 101%;", '"101%"',
        upstream => "$SERVER duplex_panic 1%; duplex_panic 2%;",
            '"duplex_panic"',
    ],

    'proxy_session_drop' => [
        stream => 'proxy_session_drop maybe;', '"maybe"',
        stream => 'proxy_session_drop on; proxy_session_drop on;',
            '"proxy_session_drop"',
    ],

    'queue' => [
        upstream => "$SERVER queue 0;", '"0"',
        upstream => "$SERVER queue many;", '"many"',
        upstream => "$SERVER queue 1; queue 2;", '"queue"',
        upstream => "$SERVER queue 1 colour=red;", '"colour=red"',
        upstream => "$SERVER queue;", '"queue"',
    ],

    'ngx_http_duplex_queue_params timeout' => [
        upstream => "$SERVER queue 1 timeout=0;", '"0"',
        upstream => "$SERVER queue 1 timeout=soon;", '"soon"',
    ],

    'zone' => [
        upstream => "zone app 1x; $SERVER", '"1x"',
        upstream => "zone app 1k; $SERVER", '"app"',
    ],

    'state' => [
        upstream => 'state "";', '""',
        upstream => 'state a b;', '"state"',
        upstream => "state a; $SERVER", '"state"',
    ],

    'duplex_spare' => [
        upstream => "$SERVER duplex_spare -1;", '"-1"',
        upstream => "$SERVER duplex_spare many;", '"many"',
        upstream => "$SERVER duplex_spare 65537;", '"65537"',
        upstream => "$SERVER duplex_spare 1; duplex_spare 2;",
            '"duplex_spare"',
    ],

    'upstream: slow_start' => [
        upstream => 'server 127.0.0.1:1 slow_start=soon;', '"slow_start=soon"',
        upstream => 'ip_hash; server 127.0.0.1:1 slow_start=1s;',
            '"slow_start=1s"',
        upstream => 'random; server 127.0.0.1:1 slow_start=1s;',
            '"slow_start=1s"',
    ],

    'upstream: resolve' => [
        upstream => 'server be.example resolve;', '"app"',
        upstream => 'server be.example:0x resolve;',
            '"be.example:0x"',
        upstream => 'resolver 127.0.0.1;'
                    . 'server be.example resolve;'
                    . 'server be.example resolve;', '"be.example"',
        upstream => 'server be.example resolve weight=x;',
            '"weight=x"',
        upstream => 'state x; server be.example resolve;',
            '"server"',
        upstream => 'server be.example resolve; state x;',
            '"state"',
    ],

    'upstream: service' => [
        upstream => 'server be.example resolve service=;', '"service="',
        upstream => 'server be.example service=http;', '"be.example"',
        upstream => 'server be.example:80 service=http resolve;',
            '"be.example:80"',
        upstream => 'server 127.0.0.1 service=http resolve;', '"127.0.0.1"',
        stream => 'upstream u { zone u 64k; server be.example resolve; }',
            '"be.example"',
    ],

    'limit_req_zone' => [
        http => 'limit_req_zone $uri zone=z:1m rate=x sync;', '"rate=x"',
        http => 'limit_req_zone $uri zone=z:1m sync;', '"sync"',
        http => 'limit_req_zone $uri zone=z:1m rate=1r/s synchronous;',
            '"limit_req_zone"',
    ],

    'resolver' => [
        http => 'resolver status_zone=z;', '"resolver"',
        http => 'resolver 127.0.0.1 valid=x status_zone=z;', 'valid=x',
        stream => 'resolver 127.0.0.1 valid=x status_zone=z;', 'valid=x',
        upstream => "$SERVER resolver;", '"resolver"',
        upstream => "$SERVER resolver 127.0.0.1 valid=x;", 'valid=x',
        upstream => "$SERVER resolver 127.0.0.1; resolver 127.0.0.2;",
            '"resolver"',
    ],

    'resolver_timeout' => [
        upstream => "$SERVER resolver_timeout x;", '"x"',
        upstream => "$SERVER resolver_timeout 1s; resolver_timeout 2s;",
            '"resolver_timeout"',
    ],

    'keepalive' => [
        upstream => "$SERVER keepalive -1;", '"-1"',
        upstream => "$SERVER keepalive x;", '"x"',
    ],

    # sticky

    'sticky' => [
        upstream => "$SERVER sticky glue x;", '"glue"',
        upstream => "$SERVER sticky route;", '"sticky"',
    ],

    'sticky: learn in stream' => [
        map {
            (stream => "upstream u { zone u 64k; server 127.0.0.1:1; $_->[0] }",
             $_->[1])
        } [ 'sticky learn sync;', '"zone"' ],
          [ 'sticky cookie id;', '"cookie"' ],
          [ 'sticky learn zone=s:1m create=$arg_a;', '"create=$arg_a"' ],
          [ 'sticky learn zone=s:1m lookup=x;', '"x"' ],
          [ 'sticky learn zone=s:1m timeout=soon;', '"soon"' ],
          [ 'sticky learn zone=s:1;', '"s:1"' ],
          [ 'sticky learn zone=s:1m sync=ack;', '"sync=ack"' ],
          [ 'sticky learn zone=s:1m; sticky learn zone=t:1m;', '"sticky"' ],
    ],

    'sticky: without zone in stream' => [
        stream => 'upstream u { server 127.0.0.1:1; sticky learn zone=s:1m; }',
            '"sticky" needs "zone"',
    ],

    'sticky: cookie' => [
        upstream => "$SERVER sticky cookie '';", 'empty cookie name',
        upstream => "$SERVER sticky cookie id colour=red;", '"colour=red"',
    ],

    'sticky: expires' => [
        upstream => "$SERVER sticky cookie id expires=soon;", '"soon"',
        upstream => "$SERVER sticky cookie id expires=-1;", '"-1"',
        upstream => "$SERVER sticky cookie id expires=;", '"expires"',
        upstream => "$SERVER sticky cookie id expires=max expires=1;",
            '"expires"',
    ],

    'sticky: domain' => [
        upstream => "$SERVER sticky cookie id domain=;", '"domain"',
        upstream => "$SERVER sticky cookie id domain=a domain=b;", '"domain"',
    ],

    'sticky: samesite' => [
        upstream => "$SERVER sticky cookie id samesite=loose;", '"loose"',
        upstream => "$SERVER sticky cookie id samesite=;", '"samesite"',
        upstream => "$SERVER sticky cookie id samesite=lax samesite=lax;",
            '"samesite"',
    ],

    'sticky: path' => [
        upstream => "$SERVER sticky cookie id path=;", '"path"',
        upstream => "$SERVER sticky cookie id path=/ path=/;", '"path"',
    ],

    'sticky: httponly' => [
        upstream => "$SERVER sticky cookie id httponly=on;", '"httponly=on"',
        upstream => "$SERVER sticky cookie id httponly httponly;",
            '"httponly"',
    ],

    'sticky: secure' => [
        upstream => "$SERVER sticky cookie id secure=on;", '"secure=on"',
        upstream => "$SERVER sticky cookie id secure secure;", '"secure"',
    ],

    'sticky: signed' => [
        upstream => "$SERVER sticky cookie id signed=;", '"signed"',
        upstream => "$SERVER sticky cookie id signed=/nowhere;", '"/nowhere"',
        upstream => "$SERVER sticky cookie id signed=/dev/null;",
            '"/dev/null"',
        upstream => "$SERVER sticky cookie id signed=/dev/zero;",
            '"/dev/zero"',
    ],

    'sticky: strict' => [
        upstream => "$SERVER sticky cookie id strict=on;", '"strict=on"',
        upstream => "$SERVER sticky cookie id strict strict;", '"strict"',
        upstream => "$SERVER sticky route strict;", '"strict"',
        upstream => "$SERVER sticky route \$arg_a strict strict;", '"strict"',
    ],

    'sticky: route' => [
        upstream => "$SERVER sticky route x;", '"x"',
        upstream => "$SERVER sticky route \$;", '"$"',
    ],

    'sticky: learn' => [
        upstream => "$SERVER sticky learn colour=red;", '"colour=red"',
        upstream => "$SERVER sticky learn zone=s:1m sync=ack;", '"sync=ack"',
        upstream => "$SERVER sticky learn lookup=\$arg_a zone=s:1m;",
            '"create"',
        upstream => "$SERVER sticky learn create=\$arg_a zone=s:1m;",
            '"lookup"',
        upstream => "$SERVER $LEARN;", '"zone"',
    ],

    'sticky: create' => [
        upstream => "$SERVER sticky learn create=x lookup=\$arg_a zone=s:1m;",
            '"x"',
    ],

    'sticky: lookup' => [
        upstream => "$SERVER sticky learn create=\$arg_a lookup=x zone=s:1m;",
            '"x"',
    ],

    'sticky: zone' => [
        upstream => "$SERVER $LEARN zone=s;", '"s"',
        upstream => "$SERVER $LEARN zone=:1m;", '":1m"',
        upstream => "$SERVER $LEARN zone=s:1x;", '"s:1x"',
        upstream => "$SERVER $LEARN zone=s:1;", '"s:1"',
        upstream => "$SERVER $LEARN zone=s:1m zone=t:1m;", 'duplicate zone',
    ],

    'sticky: timeout' => [
        upstream => "$SERVER $LEARN zone=s:1m timeout=0;", '"0"',
        upstream => "$SERVER $LEARN zone=s:1m timeout=soon;", '"soon"',
        upstream => "$SERVER $LEARN zone=s:1m timeout=1s timeout=2s;",
            'duplicate timeout',
    ],

    'sticky: header' => [
        upstream => "$SERVER $LEARN zone=s:1m header=on;", '"header=on"',
    ],

    'sticky: sync' => [
        upstream => "$SERVER $LEARN zone=s:1m sync=on;", '"sync=on"',
    ],

    # sync

    'zone_sync' => [
        sync => 'zone_sync on;', '"zone_sync"',
        sync => 'zone_sync; zone_sync;', '"zone_sync"',
        sync => 'zone_sync; proxy_pass 127.0.0.1:1;', '"zone_sync"',
        sync => 'proxy_pass 127.0.0.1:1; zone_sync;', '"zone_sync"',
    ],

    'zone_sync_server' => [
        sync => 'zone_sync; zone_sync_server 127.0.0.1;', '"127.0.0.1"',
        sync => 'zone_sync; zone_sync_server 127.0.0.1:0;', '"127.0.0.1:0"',
        sync => 'zone_sync; zone_sync_server 127.0.0.1:1 fast;', '"fast"',
        sync => 'zone_sync; zone_sync_server 127.0.0.1:1;
                 zone_sync_server 127.0.0.1:1;', '"127.0.0.1:1"',
    ],

    'sync: resolve' => [
        sync => 'zone_sync; zone_sync_server nodes.example:1 resolve;',
            '"nodes.example"',
        sync => 'zone_sync; zone_sync_server 127.0.0.1:1;
                 zone_sync_server nodes.example:1 resolve;', '"resolve"',
        sync => 'zone_sync; zone_sync_server nodes.example:1 resolve;
                 zone_sync_server 127.0.0.1:1;', '"resolve"',
        sync => 'zone_sync; zone_sync_server nodes.example resolve;',
            '"nodes.example"',
        sync => 'zone_sync; zone_sync_server nodes.example:1 resolve=on;',
            '"resolve=on"',
    ],

    'zone_sync_ssl' => [
        stream => 'zone_sync_ssl maybe;', '"maybe"',
    ],

    'zone_sync_ssl_verify' => [
        stream => 'zone_sync_ssl_verify maybe;', '"maybe"',
    ],

    'zone_sync_ssl_server_name' => [
        stream => 'zone_sync_ssl_server_name maybe;', '"maybe"',
    ],

    'zone_sync_ssl_verify_depth' => [
        stream => 'zone_sync_ssl_verify_depth deep;',
            '"zone_sync_ssl_verify_depth"',
    ],

    'zone_sync_ssl_protocols' => [
        stream => 'zone_sync_ssl_protocols TLSv9;', '"TLSv9"',
    ],

    'zone_sync_ssl_conf_command' => [
        stream => 'zone_sync_ssl_conf_command x;',
            '"zone_sync_ssl_conf_command"',
    ],

    'zone_sync_ssl_password_file' => [
        stream => 'zone_sync_ssl_password_file /dev/null;
                   zone_sync_ssl_password_file /dev/null;',
            '"zone_sync_ssl_password_file"',
    ],

    'zone_sync_ssl_certificate' => [
        stream => 'zone_sync_ssl_certificate a; zone_sync_ssl_certificate b;',
            '"zone_sync_ssl_certificate"',
    ],

    'zone_sync_ssl_certificate_key' => [
        stream => 'zone_sync_ssl_certificate_key a; zone_sync_ssl_certificate_key b;',
            '"zone_sync_ssl_certificate_key"',
    ],

    'zone_sync_ssl_ciphers' => [
        stream => 'zone_sync_ssl_ciphers a; zone_sync_ssl_ciphers b;',
            '"zone_sync_ssl_ciphers"',
    ],

    'zone_sync_ssl_trusted_certificate' => [
        stream => 'zone_sync_ssl_trusted_certificate a; zone_sync_ssl_trusted_certificate b;',
            '"zone_sync_ssl_trusted_certificate"',
    ],

    'zone_sync_ssl_crl' => [
        stream => 'zone_sync_ssl_crl a; zone_sync_ssl_crl b;',
            '"zone_sync_ssl_crl"',
    ],

    'zone_sync_ssl_name' => [
        stream => 'zone_sync_ssl_name a; zone_sync_ssl_name b;',
            '"zone_sync_ssl_name"',
    ],

    'duplex_witness' => [
        stream => 'duplex_witness 127.0.0.1:99999;', '"127.0.0.1:99999"',
        stream => 'duplex_witness 127.0.0.1; duplex_witness 127.0.0.2;',
            '"duplex_witness"',
        stream => 'duplex_witness ' . '127.0.0.1 ' x 9 . ';', '"127.0.0.1"',
    ],

    'duplex_ready_timeout' => [
        stream => 'duplex_ready_timeout 0;', '"0"',
        stream => 'duplex_ready_timeout soon;', '"soon"',
    ],

    'zone_sync_secret' => [
        stream => 'zone_sync_secret /nowhere;', '"/nowhere"',
        stream => 'zone_sync_secret /dev/null;', '"/dev/null"',
        stream => 'zone_sync_secret a; zone_sync_secret b;',
            '"zone_sync_secret"',
        stream => 'zone_sync_secret open;', 'open" is accessible to others',
        stream => 'zone_sync_secret empty;', 'empty"',
        stream => 'zone_sync_secret short;', 'short" is shorter than 16 bytes',
        stream => 'zone_sync_secret many;', 'more than 8 secrets',
    ],

    'zone_sync_require_auth' => [
        stream => 'zone_sync_require_auth maybe;', '"maybe"',
        sync => 'listen 0.0.0.0:%%PORT_open%%; zone_sync;
                 zone_sync_require_auth on;', '"zone_sync_require_auth"',
    ],

    'zone_sync_buffers' => [
        stream => 'zone_sync_buffers 0 16k;', '"0"',
        stream => 'zone_sync_buffers x 16k;', '"x"',
        stream => 'zone_sync_buffers 8 16x;', '"16x"',
        stream => 'zone_sync_buffers 8;', '"zone_sync_buffers"',
    ],

    'zone_sync_recv_buffer_size' => [
        stream => 'zone_sync_recv_buffer_size 16x;', '"16x"',
        stream => 'zone_sync_recv_buffer_size 0;', '"0"',
    ],

    'zone_sync_timeout' => [
        stream => 'zone_sync_timeout 0;', '"0"',
        stream => 'zone_sync_timeout soon;', '"soon"',
    ],

    'zone_sync_connect_timeout' => [
        stream => 'zone_sync_connect_timeout 0;', '"0"',
        stream => 'zone_sync_connect_timeout soon;', '"soon"',
    ],

    'zone_sync_connect_retry_interval' => [
        stream => 'zone_sync_connect_retry_interval 0;', '"0"',
        stream => 'zone_sync_connect_retry_interval soon;', '"soon"',
    ],

    'zone_sync_interval' => [
        stream => 'zone_sync_interval 0;', '"0"',
        stream => 'zone_sync_interval soon;', '"soon"',
    ],

    # health

    'health_check' => [
        location => 'health_check colour=red;', '"colour=red"',
        location => 'health_check persistent;', '"health_check"',
    ],

    'ngx_http_duplex_health_params interval' => [
        location => 'health_check interval=0;', '"0"',
        location => 'health_check interval=soon;', '"soon"',
        location => 'health_check interval=1s interval=2s;', '"interval"',
    ],

    'ngx_http_duplex_health_params jitter' => [
        location => 'health_check jitter=-1;', '"-1"',
        location => 'health_check jitter=x;', '"x"',
    ],

    'ngx_http_duplex_health_params fails' => [
        location => 'health_check fails=0;', '"0"',
        location => 'health_check fails=x;', '"x"',
        location => 'health_check fails=-1;', '"-1"',
    ],

    'ngx_http_duplex_health_params passes' => [
        location => 'health_check passes=0;', '"0"',
        location => 'health_check passes=1.5;', '"1.5"',
    ],

    'ngx_http_duplex_health_params uri' => [
        location => 'health_check uri=health;', '"health"',
        location => 'health_check uri=;', '""',
        location => "health_check 'uri=/a b';", '"/a b"',
    ],

    'ngx_http_duplex_health_params port' => [
        location => 'health_check port=0;', '"0"',
        location => 'health_check port=65536;', '"65536"',
        location => 'health_check port=http;', '"http"',
    ],

    'ngx_http_duplex_health_params mandatory' => [
        location => 'health_check mandatory=on;', '"mandatory=on"',
    ],

    'ngx_http_duplex_health_params persistent' => [
        location => 'health_check mandatory persistent=1;', '"persistent=1"',
    ],

    'duplex_probe_on_error' => [
        upstream => "$SERVER duplex_probe_on_error yes;", '"yes"',
        upstream => "$SERVER duplex_probe_on_error on on;", '"on"',
        upstream => "$SERVER duplex_probe_on_error on;
                     duplex_probe_on_error on;", '"duplex_probe_on_error"',
        location => 'duplex_probe_on_error on;', '"duplex_probe_on_error"',
    ],

    'ngx_http_duplex_watch_params late' => [
        upstream => "$SERVER duplex_probe_on_error on late=0;", '"0"',
        upstream => "$SERVER duplex_probe_on_error on late=soon;", '"soon"',
    ],

    'ngx_http_duplex_health_params match' => [
        location => 'health_check match=welcome;', '"welcome"',
        location => 'health_check match=;', '""',
    ],

    'ngx_http_duplex_health_params upstream' => [
        location => 'health_check upstream=;', '""',
        location => 'health_check upstream=app,,web;', '"app,,web"',
        location => 'health_check upstream=nobody;', '"nobody"',
        location => 'health_check upstream=$host;', '"$host"',
    ],

    'ngx_http_duplex_health_params type' => [
        location => 'health_check type=http;', '"http"',
        location => 'health_check type=grpc;', '"type=grpc"',
        location => 'health_check uri=/ type=grpc;', '"type=grpc"',
        location => 'health_check match=m type=grpc;', '"type=grpc"',
        location => 'health_check type=grpc interval=1s;', '"type=grpc"',
    ],

    'ngx_http_duplex_health_params grpc_service' => [
        location => 'health_check grpc_service=x;', '"grpc_service"',
        location => 'health_check type=grpc grpc_service=;', '""',
        location => 'health_check type=grpc grpc_service=' . 'x' x 128 . ';',
            '"' . 'x' x 128 . '"',
        location => 'health_check grpc_service=x type=grpc;', '"type=grpc"',
    ],

    'ngx_http_duplex_health_params grpc_status' => [
        location => 'health_check grpc_status=0;', '"grpc_status"',
        location => 'health_check type=grpc grpc_status=256;', '"256"',
        location => 'health_check type=grpc grpc_status=WELL;', '"WELL"',
    ],

    'ngx_http_duplex_health_params keepalive_time' => [
        location => 'health_check keepalive_time=;', '""',
        location => 'health_check keepalive_time=soon;', '"soon"',
    ],

    'health: status' => [
        http => 'match m { status; }', '"status"',
        http => 'match m { status !; }', '"status"',
        http => 'match m { status 99; }', '"99"',
        http => 'match m { status 1000; }', '"1000"',
        http => 'match m { status 300-200; }', '"300-200"',
        http => 'match m { status 200 -; }', '"-"',
        http => 'match m { status 200; status 201; }', '"status"',
    ],

    'health: header' => [
        http => 'match m { header; }', '"header"',
        http => 'match m { header a b; }', '"header"',
        http => 'match m { header a == b; }', '"=="',
        http => 'match m { header a = b c; }', '"header"',
        http => 'match m { header ""; }', '"header"',
        http => 'match m { header a ~ "("; }', '"("',
    ],

    'health: body' => [
        http => 'match m { body; }', '"body"',
        http => 'match m { body x; }', '"body"',
        http => 'match m { body = x; }', '"body"',
        http => 'match m { body ~ x; body ~ y; }', '"body"',
        http => 'match m { body !~ "("; }', '"("',
    ],

    'health: require' => [
        http => 'match m { require; }', '"require"',
        http => 'match m { require x; }', '"x"',
        http => 'match m { require $; }', '"$"',
    ],

    'grpc_pass' => [
        server => 'location / { grpc_pass a; grpc_pass b; }', '"grpc_pass"',
    ],

    'fastcgi_pass' => [
        server => 'location / { fastcgi_pass a; fastcgi_pass b; }',
            '"fastcgi_pass"',
    ],

    'uwsgi_pass' => [
        server => 'location / { uwsgi_pass a; uwsgi_pass b; }', '"uwsgi_pass"',
    ],

    'scgi_pass' => [
        server => 'location / { scgi_pass a; scgi_pass b; }', '"scgi_pass"',
    ],

    'memcached_pass' => [
        server => 'location / { memcached_pass a; memcached_pass b; }',
            '"memcached_pass"',
    ],

    'duplex_health_policy' => [
        upstream => "$SERVER duplex_health_policy some;", '"some"',
        upstream => "$SERVER duplex_health_policy any;
                     duplex_health_policy any;", '"duplex_health_policy"',
        stream => "upstream app { $SERVER duplex_health_policy own any; }",
            '"duplex_health_policy"',
        location => 'duplex_health_policy any;', '"duplex_health_policy"',
    ],

    'duplex_health_plan' => [
        upstream => "$SERVER duplex_health_plan half;", '"half"',
        upstream => "$SERVER duplex_health_plan split;",
            '"duplex_health_policy"',
        upstream => "$SERVER duplex_health_policy own;
                     duplex_health_plan split;", '"app"',
        stream => "upstream app { $SERVER duplex_health_plan split; }",
            '"app"',
    ],

    # health of stream

    'proxy_pass' => [
        stream_check => 'proxy_pass app; proxy_pass app;', '"proxy_pass"',
        stream_check => 'proxy_pass bare;', '"bare"',
        stream_check => 'proxy_pass 127.0.0.1:1;', '"127.0.0.1:1"',
        stream_check => 'proxy_pass $v;', '"$v"',
        stream_check => 'return x;', '"proxy_pass"',
    ],

    'health_check_timeout' => [
        stream => 'health_check_timeout 0;', '"health_check_timeout"',
        stream_server => 'health_check_timeout soon;',
            '"health_check_timeout"',
    ],

    'match' => [
        http => 'match m { } match m { }', '"m"',
        http => 'match "" { }', '""',
        http => 'match { }', '"match"',
        http => 'match m { colour red; }', '"colour"',
        stream => 'match a { }', '"a"',
        stream => 'match "" { send x; }', '""',
        stream => 'match a { send x; } match a { send y; }', '"a"',
        stream => 'match a { recv x; }', '"recv"',
        stream => 'match a { send x; send y; }', '"send"',
        stream => 'match a { send; }', '"send"',
        stream => 'match a { send ""; }', '"send"',
        stream => 'match a { send "\xZ1"; }', '"\xZ1"',
        stream => 'match a { send "ok \x4"; }', '"ok \x4"',
        stream => 'match a { expect x; expect ~ y; }', '"expect"',
        stream => 'match a { expect ~ "a("; }', '"a("',
        stream => 'match a { expect = x; }', '"="',
        stream => 'match a { expect ~ ""; }', '"expect"',
        stream_server => 'match a { send x; }', '"match"',
    ],

    'ngx_stream_duplex_health_params interval' => [
        stream_server => 'health_check interval=0;', '"0"',
    ],

    'ngx_stream_duplex_health_params jitter' => [
        stream_server => 'health_check jitter=x;', '"x"',
    ],

    'ngx_stream_duplex_health_params fails' => [
        stream_server => 'health_check fails=0;', '"0"',
    ],

    'ngx_stream_duplex_health_params passes' => [
        stream_server => 'health_check passes=1.5;', '"1.5"',
    ],

    'ngx_stream_duplex_health_params mandatory' => [
        stream_server => 'health_check mandatory=on;', '"mandatory=on"',
    ],

    'ngx_stream_duplex_health_params persistent' => [
        stream_server => 'health_check persistent;', '"persistent"',
    ],

    'ngx_stream_duplex_health_params match' => [
        stream_server => 'health_check match=welcome;', '"welcome"',
        stream_server => 'health_check match=;', '""',
    ],

    'ngx_stream_duplex_health_params port' => [
        stream_server => 'health_check port=0;', '"0"',
        stream_server => 'health_check port=echo;', '"echo"',
    ],

    'ngx_stream_duplex_health_params udp' => [
        stream_server => 'health_check udp=on;', '"udp=on"',
        stream_server => 'health_check uri=/;', '"uri=/"',
        stream_server => 'health_check; health_check udp;', '"health_check"',
    ],

    # deploy

    'duplex_split' => [
        http => 'duplex_split pool app { blue 100; green 0; }', '"pool"',
        http => 'duplex_split $ app { blue 100; green 0; }', '"$"',
        http => 'duplex_split $p "a b" { blue 100; green 0; }', '"a b"',
        http => 'duplex_split $p app { blue 100; green 0; }
                 duplex_split $q app { blue 100; green 0; }', '"app"',
        http => 'duplex_split $p app { blue 100; green 0; }
                 duplex_split $p web { blue 100; green 0; }', '"p"',
        http => 'duplex_split $host app { blue 100; green 0; }', '"host"',
        http => 'duplex_split $p app { blue 100; }', '"app"',
        http => 'duplex_split $p app { blue 100; red 0; }', '"red"',
        split => 'blue 60; green 30;', '90.00',
        split => 'blue 100;', '"app"',
        split => join(' ', map { "g$_ 0;" } 1 .. 9), '8',
    ],

    'deploy: as' => [
        split => 'blue 101; green 0;', '"101"',
        split => 'blue 99.999; green 0.001;', '"99.999"',
        split => 'blue x; green 0;', '"x"',
        split => 'blue -1; green 0;', '"-1"',
        split => 'blue;', '"blue"',
        split => 'blue 100 name=b; green 0;', '"name=b"',
        split => 'blue 100 as=; green 0;', '""',
        split => 'blue 50; blue 50;', '"blue"',
        split => 'blue 100 as=green; green 0;', '"green"',
    ],

    'deploy: key' => [
        split => 'blue 100; green 0; key;', '"key"',
        split => 'blue 100; green 0; key x;', '"x"',
        split => 'blue 100; green 0; key $arg_a; key $arg_b;', '"key"',
    ],

    'deploy: sticky' => [
        split => 'blue 100; green 0; sticky learn x;', '"sticky"',
    ],

    'deploy: cookie' => [
        split => 'blue 100; green 0; sticky cookie;', '"sticky"',
        split => 'blue 100; green 0; sticky cookie "a b";', '"a b"',
        split => 'blue 100; green 0; sticky cookie a; sticky cookie b;',
            '"sticky"',
        split => 'blue 100; green 0; sticky cookie a colour=red;',
            '"colour=red"',
    ],

    'ngx_http_duplex_split_cookie_params expires' => [
        split => 'blue 100; green 0; sticky cookie a expires=soon;', '"soon"',
    ],

    'ngx_http_duplex_split_cookie_params domain' => [
        split => 'blue 100; green 0; sticky cookie a domain=;', '""',
    ],

    'ngx_http_duplex_split_cookie_params path' => [
        split => 'blue 100; green 0; sticky cookie a path=;', '""',
    ],

    'ngx_http_duplex_split_cookie_params secure' => [
        split => 'blue 100; green 0; sticky cookie a secure=1;', '"secure=1"',
    ],

    'ngx_http_duplex_split_cookie_params httponly' => [
        split => 'blue 100; green 0; sticky cookie a httponly=1;',
            '"httponly=1"',
    ],

    # api

    'api' => [
        location => 'api colour=red;', '"colour=red"',
        location => 'api write;', '"write"',
        location => 'api write=on write=on;', '"api"',
        location => 'api;', '"api"',
        server => 'location / { api; api; }', '"api"',
        server => 'location / { api; duplex_ready; }', '"duplex_ready"',
        server => 'location / { api; proxy_pass http://127.0.0.1:1; }', '"/"',
        server => 'api;', '"api"',
        server => 'location ~ ^/api { api; }', '"api"',
        server => 'location @api { api; }', '"api"',
        server => 'location / { if ($arg_a) { api; } }', '"api"',
    ],

    'ngx_http_duplex_api_params write' => [
        location => 'api write=maybe;', '"maybe"',
        location => 'api write=;', '""',
    ],

    'duplex_live' => [
        location => 'duplex_live on;', '"duplex_live"',
        server => 'location / { duplex_live; duplex_live; }',
            '"duplex_live"',
        server => 'location / { duplex_live; duplex_ready; }',
            '"duplex_ready"',
    ],

    'duplex_metrics' => [
        location => 'duplex_metrics on;', '"duplex_metrics"',
        server => 'location / { duplex_metrics; duplex_metrics; }',
            '"duplex_metrics"',
        server => 'location / { duplex_metrics; api; }', '"api"',
    ],

    'duplex_dashboard' => [
        location => 'duplex_dashboard on;', '"on"',
        server => 'location / { duplex_dashboard; duplex_dashboard; }',
            '"duplex_dashboard"',
        server => 'location / { api; duplex_dashboard; }',
            '"duplex_dashboard"',
    ],

    'ngx_http_duplex_dashboard_params api' => [
        map { (server => "location / { duplex_dashboard api=$_; }", qq("$_")) }
            'api/', '/api', '//x/', '/a<b/', '/a?b/'
    ],

    'duplex_ready' => [
        location => 'duplex_ready on;', '"duplex_ready"',
        location => 'duplex_ready;', '"duplex_ready"',
        server => 'location / { duplex_ready; duplex_ready; }',
            '"duplex_ready"',
        server => 'location / { duplex_ready; api; }', '"api"',
    ],
);


my $node = Duplex::Node->new(name => 'a', conf => "%%MAIN%%\nevents { }\n");

# secrets that are none

my %files = (open => 'x' x 16 . "\n", empty => "# nothing\n\n",
             short => 'x' x 15 . "\n", many => "0123456789abcdef\n" x 9);

for my $name (keys %files) {
    $node->write_file($name, $files{$name});
    chmod $name eq 'open' ? 0644 : 0600, $node->prefix() . "/$name";
}

my ($ok, $text) = $node->test_config();

ok($ok, 'a configuration without our directives is accepted') or diag($text);

for my $name (sort { $a cmp $b } known()) {
    ok(exists $bad{$name}, "there is a bad value for $name");
}

for my $name (sort keys %bad) {
    my @cases = @{$bad{$name}};

    while (my ($context, $line, $quoted) = splice @cases, 0, 3) {
        (my $conf = "%%MAIN%%\n$context{$context}") =~ s/%s/$line/;

        ($ok, $text) = $node->test_config($conf);

        ok(!$ok, "refused: $line") or diag($text);
        like($text, qr/\[emerg\] .*\Q$quoted\E.* in \S+:\d+$/m,
             "$quoted is quoted, with its place");
    }
}

# records of the store could not carry the group's name

my $long = 'x' x 251;

($ok, $text) = $node->test_config("%%MAIN%%\nevents { } http {
    upstream $long { zone app 1m; $SERVER } }");

ok(!$ok, 'refused: an upstream with a name that is too long');
like($text, qr/\[emerg\] .*"$long" is longer than 250 bytes/,
     'the name is quoted');

($ok, $text) = $node->test_config("%%MAIN%%\nevents { } http {
    upstream $long { $SERVER } }");

ok($ok, 'accepted: the same without zone, which has no records')
    or diag($text);

done_testing();


# "DIRECTIVE", "TABLE PARAMETER" and "FOLDER: PARAMETER" of the whole suite
sub known {
    my @names;

    for my $file (glob "$FindBin::Bin/../modules/*/*.c") {
        my $c = do { local (@ARGV, $/) = ($file); <> };

        # comments hold examples
        $c =~ s{/\*.*?\*/}{}gs;

        my ($folder) = $file =~ m{([^/]+)/[^/]+$};

        # parameters that are looked for by hand
        push @names, map { "$folder: $_" }
            $c =~ /ngx_strn?cmp\(value\[\w+\]\.data, "(\w+)=?"/g;

        while ($c =~ /ngx_command_t\s+\w+\[\]\s*=\s*\{
                      (.*?)ngx_null_command/gsx)
        {
            push @names, $1 =~ /\{\s*ngx_string\("(\w+)"\)/g;
        }

        while ($c =~ /ngx_duplex_param_t\s+(\w+)\[\]\s*=\s*\{(.*?)
                      ngx_duplex_null_param/gsx)
        {
            my ($table, $params) = ($1, $2);
            push @names, map { "$table $_" }
                         $params =~ /\{\s*ngx_string\("(\w+)"\)/g;
        }
    }

    return @names;
}
