#!/usr/bin/perl

# The client for NGINX Plus that Debian packages, in Go, runs unchanged: it
# adds, updates, lists and deletes servers and key-values of http and stream.
# t/clients/plus.go makes the claims.
#
# It is built once, into build/clients; skipped where neither that nor what
# builds it is there ("make deps-clients").

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use File::Path qw/make_path/;


my $source = "$FindBin::Bin/clients/plus.go";
my $build = "$FindBin::Bin/../build/clients";
my $program = "$build/plus";

if (! -x $program || -M $program > -M $source) {

    my $library = '/usr/share/gocode';

    plan(skip_all => 'no client for NGINX Plus in Go')
        if ! -d "$library/src/github.com/nginxinc/nginx-plus-go-client"
           || system('which go > /dev/null 2>&1') != 0;

    make_path($build);

    local @ENV{qw/GO111MODULE GOPATH GOCACHE GOFLAGS CGO_ENABLED/}
        = ('off', $library, "$build/cache", '', 0);

    is(system('go', 'build', '-o', $program, $source), 0,
       'the client builds');
}


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    keyval_zone zone=flags:64k;
    keyval $arg_k $flag zone=flags;

    upstream app {
        zone app 256k;
        sticky route $arg_r;
        server 127.0.0.9:8081;
    }

    server {
        listen %%LISTEN_front%%;
        status_zone front;

        location / {
            status_zone place;
            return 204;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api {
            api write=on;
        }
    }
}

stream {
    keyval_zone zone=pools:64k;
    keyval $server_port $pool zone=pools;

    upstream sql {
        zone sql 256k;
        server 127.0.0.9:5432;
    }

    server {
        listen %%LISTEN_stream%%;
        proxy_pass sql;
    }
}
EOC

$node->start();

get($node->address('front'), '/');

my $api = $node->address('api');

open my $client, '-|', $program, "http://$api/api" or die "plus: $!";

my $last = '';

while (my $line = <$client>) {
    chomp($last = $line);

    if ($line =~ /^(not )?ok - (.*)/) {
        ok(!$1, $2);
    }
}

ok(close $client, 'the client ends well');
is($last, 'done', 'and has come to its end');

done_testing();
