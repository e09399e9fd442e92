#!/usr/bin/perl

# A configuration as NGINX Plus's documentation has them is accepted: every
# directive and parameter of these features in one file.  What is not done is
# warned of, by name.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => "%%MAIN%%\nevents {}\n");

my $CONF = <<'EOC';
%%MAIN%%

events {
}

http {
    %%HTTP%%

    resolver 127.0.0.1 valid=30s ipv6=off status_zone=names;
    resolver_timeout 5s;

    keyval_zone zone=allowed:64k timeout=1h state=%%PREFIX%%/allowed.keyval;
    keyval_zone zone=networks:64k type=ip sync timeout=1h;
    keyval_zone zone=paths:64k type=prefix;
    keyval $arg_user $allowed zone=allowed;
    keyval $remote_addr $network zone=networks;
    keyval $uri $path zone=paths;

    limit_req_zone $remote_addr zone=clients:1m rate=10r/s sync;

    match healthy {
        status 200-399;
        header Content-Type = text/html;
        header ! X-Broken;
        header Connection ~ keep-alive;
        body ~ "welcome";
        require $upstream_status;
    }

    upstream cookie {
        zone cookie 256k;
        server 127.0.0.1:1 route=a weight=2 max_conns=10 slow_start=30s;
        server 127.0.0.1:2 route=b max_fails=2 fail_timeout=5s drain;
        server app.example:80 resolve backup;
        server example service=http resolve backup;
        sticky cookie srv expires=1h domain=.example.com httponly secure
                      samesite=strict path=/;
        queue 100 timeout=70;
        keepalive 8;
    }

    upstream route {
        zone route 256k;
        server 127.0.0.1:1 route=a;
        sticky route $cookie_route $arg_route;
        resolver 127.0.0.1 status_zone=more;
        resolver_timeout 1s;
    }

    upstream learn {
        zone learn 256k;
        least_conn;
        server 127.0.0.1:1 slow_start=10s;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h header sync;
    }

    upstream kept {
        zone kept 256k;
        state %%PREFIX%%/kept.state;
    }

    server {
        listen %%LISTEN_front%%;
        status_zone front;
        resolver 127.0.0.2 status_zone=names;

        location / {
            status_zone everything;
            resolver 127.0.0.3 status_zone=names;
            limit_req zone=clients burst=5;
            proxy_pass http://cookie;
            health_check interval=10 jitter=1 fails=3 passes=2 uri=/health
                         match=healthy port=8080 mandatory persistent
                         keepalive_time=60s;
        }

        location /grpc {
            grpc_pass grpc://route;
            health_check type=grpc grpc_service=app grpc_status=12;
        }

        location /learn {
            proxy_pass http://learn;
        }

        location /kept {
            proxy_pass http://kept;
        }

        location /api {
            api write=on;
            allow 127.0.0.1;
            deny all;
        }
    }
}

stream {
    resolver 127.0.0.1 status_zone=stream_names;

    keyval_zone zone=blocked:64k type=ip;
    keyval $remote_addr $blocked zone=blocked;

    match answer {
        send "PING\r\n";
        expect ~ "PONG";
    }

    upstream app {
        zone stream_app 256k;
        server 127.0.0.1:1 slow_start=30s;
        server app.example:12345 resolve;
    }

    server {
        listen %%LISTEN_stream%%;
        status_zone stream_front;
        resolver 127.0.0.2 status_zone=stream_names;
        proxy_pass app;
        proxy_session_drop on;
        health_check_timeout 2s;
        health_check interval=10 passes=2 fails=3 match=answer port=12346
                     mandatory;
    }

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
        zone_sync_buffers 256 4k;
        zone_sync_recv_buffer_size 64k;
        zone_sync_connect_retry_interval 1s;
        zone_sync_connect_timeout 5s;
        zone_sync_interval 1s;
        zone_sync_timeout 5s;
    }
}
EOC

my ($ok, $text) = $node->test_config($CONF);

ok($ok, 'the whole file is accepted') or diag($text);

my @warned = $text =~ /\[warn\].* parameter "(\S+)" of "\w+" is without effect/g;

is_deeply([ sort @warned ],
          [ sort 'sync', ('status_zone=names') x 3, 'status_zone=more',
            ('status_zone=stream_names') x 2 ],
          'what is not done is warned of');

# stock still refuses what it does not know

($ok, $text) = $node->test_config(
    $CONF =~ s/ipv6=off status_zone=names/ipv6=perhaps/r);
ok(!$ok, 'a bad parameter of nginx\'s own');
like($text, qr/invalid parameter: ipv6=perhaps in \S+:\d+/, '... its message');

done_testing();
