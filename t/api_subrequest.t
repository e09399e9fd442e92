#!/usr/bin/perl

# A subrequest reads the API and changes nothing: its body is that of its
# parent, which has not been read yet or is not the API's to take.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $backend = Duplex::Backend->new();

my $node = Duplex::Node->new(name => 'a',
    vars => { backend => $backend->address() }, conf => <<'EOC');
%%MAIN%%

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%backend%%;
    }

    server {
        listen %%LISTEN_front%%;

        location /with/ {
            mirror /api/9/http/upstreams/app/servers/0;
            proxy_pass http://app;
        }

        location /without/ {
            mirror /api/9/http/upstreams/app/servers/0;
            mirror_request_body off;
            proxy_pass http://app;
        }

        location /asked/ {
            auth_request /api/9/http/upstreams/app/servers/0;
            proxy_pass http://app;
        }

        location /api/ {
            api write=on;
        }
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

my @workers = $node->workers();

for my $uri (qw{/without/ /with/ /asked/}) {
    like(patch($uri), qr{^HTTP/1.1 200 }, "$uri: the request itself goes on");

    is($node->peer_state('app', $backend->address()), 'up',
       "$uri: the server is as it was");
}

is("@{[ $node->workers() ]}", "@workers", 'the worker is the same');

like(patch('/api/9/http/upstreams/app/servers/0'), qr{^HTTP/1.1 200 },
     'the same request from a client is taken');
is($node->peer_state('app', $backend->address()), 'down', 'and in force');

done_testing();


sub patch {
    my ($uri) = @_;

    return raw($node->address('front'),
               "PATCH $uri HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
               . "Content-Length: 13\r\n\r\n{\"down\":true}");
}
