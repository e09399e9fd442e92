#!/usr/bin/perl

# Sticky before TLS servers: TLS sessions are saved and used again.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(conf => <<'EOC');
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 128k;
        server 127.0.0.1:%%PORT_a%% route=a;
        server 127.0.0.1:%%PORT_b%% route=b;
        sticky route $arg_r;
    }

    upstream kept {
        server 127.0.0.1:%%PORT_a%%;
        server 127.0.0.1:%%PORT_b%%;
        keepalive 4;
        sticky learn create=$upstream_http_x_session lookup=$arg_s
               zone=sessions:64k;
    }

    server {
        listen %%LISTEN_front%%;
        proxy_http_version 1.1;
        proxy_ssl_protocols TLSv1.2;

        location /app {
            proxy_pass https://app;

            # 1.29.7 and later keep connections unless told otherwise
            proxy_set_header Connection close;
        }

        location /kept {
            proxy_pass https://kept;
            proxy_set_header Connection "";
        }
    }

    server {
        listen 127.0.0.1:%%PORT_a%% ssl;
        listen 127.0.0.1:%%PORT_b%% ssl;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        ssl_session_cache builtin;
        add_header X-Session s$server_port;
        return 200 "$server_port $ssl_session_reused $connection_requests\n";
    }
}
EOC

my $dir = $node->prefix();

if (system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=a "
           . "-keyout $dir/key.pem -out $dir/cert.pem >/dev/null 2>&1") != 0)
{
    plan(skip_all => 'no openssl');
}

$node->start();

my %port = map { $_ => $node->port($_) } qw/a b/;

is($node->get('/app?r=a')->{body}, "$port{a} . 1\n", 'the first handshake');
is($node->get('/app?r=b')->{body}, "$port{b} . 1\n", 'the other server\'s');
is($node->get("/app?r=$_")->{body}, "$port{$_} r 1\n", "$_: its TLS session")
    for qw/a b a b/;

my ($first) = $node->get('/kept')->{body} =~ /^(\d+)/;

for (2 .. 4) {
    is($node->get("/kept?s=s$first")->{body}, "$first . $_\n",
       "kept connection, request $_");
}

done_testing();
