#!/usr/bin/perl

# Probes of https servers use the location's TLS settings: what a request
# would not trust, a probe does not, either.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        verify => 'proxy_ssl_verify on;
            proxy_ssl_trusted_certificate %%PREFIX%%/good.crt;
            proxy_ssl_server_name on;',
    },
    conf => <<'EOC',
%%MAIN%%

events {
}

http {
    %%HTTP%%

    log_format tls "$ssl_server_name $ssl_session_reused";

    # a variable that no phase of a request has to set
    map $scheme $good {
        default good.example;
    }

    upstream good {
        zone good 256k;
        server %%LISTEN_tls%%;
    }

    upstream wrong {
        zone wrong 256k;
        server %%LISTEN_tls%%;
    }

    upstream plain {
        zone plain 256k;
        server %%LISTEN_front%%;
    }

    server {
        listen %%LISTEN_tls%% ssl;

        ssl_certificate     good.crt;
        ssl_certificate_key good.key;

        access_log %%PREFIX%%/tls.log tls;

        location / {
            return 200;
        }
    }

    server {
        listen %%LISTEN_front%%;

        location /good {
            proxy_pass https://good;
            %%verify%%
            proxy_ssl_name $good;
            health_check interval=100ms mandatory;
        }

        location /wrong {
            proxy_pass https://wrong;
            %%verify%%
            proxy_ssl_name wrong.example;
            health_check interval=100ms;
        }

        location /plain {
            proxy_pass https://plain;
            health_check interval=100ms;
        }
    }
}
EOC
);

# made for this test: nothing else trusts it

$node->write_file('good.crt', <<'EOF');
-----BEGIN CERTIFICATE-----
MIIBnjCCAUSgAwIBAgIURKYoxz8kvx3N46we3hL8ZjC0W2QwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZ29vZC5leGFtcGxlMCAXDTI2MTEyMjIwMzEwNVoYDzIxMjYx
MDI5MjAzMTA1WjAXMRUwEwYDVQQDDAxnb29kLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAS69NyUaKzhF1Z/aoUM87DWXTP8Kn+2X3asl8x9ww3TWGr6
4OgwQA01vHbrB2egvKXcpQulKzSuTgyp3dWGNUxHo2wwajAdBgNVHQ4EFgQUaU/F
s1T93zHe9g51av93gnHIG7AwHwYDVR0jBBgwFoAUaU/Fs1T93zHe9g51av93gnHI
G7AwDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxnb29kLmV4YW1wbGUwCgYI
KoZIzj0EAwIDSAAwRQIgcGx0eh1mIM1xNHCP2YO8sstmOJYusLOMoR0hvAfgA5YC
IQCSed6OdhH6Mb0jNeNejY2v8OWXdCMOiuqoDvjc432/Bg==
-----END CERTIFICATE-----
EOF

$node->write_file('good.key', <<'EOF');
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXP14K9v3lg6yw3Qg
ahghFM2mbk0ibBSxxzjPLF+H8O+hRANCAAS69NyUaKzhF1Z/aoUM87DWXTP8Kn+2
X3asl8x9ww3TWGr64OgwQA01vHbrB2egvKXcpQulKzSuTgyp3dWGNUxH
-----END PRIVATE KEY-----
EOF

# what the tls server thinks of the handshakes that are broken off
$node->expect_log(qr/\[crit\].*SSL_do_handshake\(\) failed/);

$node->start();

like($node->wait_log(qr/upstream "good" is now/), qr/up: 200 \(1 of 1\)$/,
     'the right name passes');

like($node->wait_log(qr/upstream "wrong" is now/),
     qr/unhealthy: tls: upstream SSL certificate does not match "wrong.exam/,
     'another name does not');

like($node->wait_log(qr/upstream "plain" is now/),
     qr/unhealthy: tls: SSL_do_handshake\(\) failed/, 'nor plain http');

my @handshakes;

wait_for {
    open(my $f, '<', $node->prefix() . '/tls.log') or return 0;
    @handshakes = grep { /good/ } <$f>;
    @handshakes >= 3;
} 5, 'three probes';

is(scalar(grep { $_ ne "good.example .\n" } @handshakes), 0,
   'each probe sends the name and makes a handshake of its own');

done_testing();
