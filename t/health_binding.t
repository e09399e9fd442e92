#!/usr/bin/perl

# health_check is refused where it could not do its work, with the reason
# and the place.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => "%%MAIN%%\nevents {}\n");

sub conf {
    my ($zone, $locations, $main) = @_;

    $main //= '%%MAIN%%';

    return <<"EOC";
$main

events {
}

http {
    %%HTTP%%

    upstream app {
        $zone
        server 127.0.0.1:1;
    }

    server {
        listen %%LISTEN_front%%;

$locations
    }
}
EOC
}

my $PASS = 'proxy_pass http://app;';
my $ZONE = 'zone app 256k;';

for ([ 'accepted', $ZONE, "location / { $PASS health_check; }", undef ],
     [ 'accepted with https', $ZONE,
       'location / { proxy_pass https://app/x/; health_check; }', undef ],
     [ 'no zone', '', "location / { $PASS health_check; }",
       'requires "zone" in upstream "app", in ' ],
     [ 'no proxy_pass', $ZONE, "location / { health_check; }",
       'requires "proxy_pass", or its like, in the same location' ],
     [ 'proxy_pass of the parent', $ZONE,
       "location / { $PASS location /x { health_check; } }",
       'requires "proxy_pass", or its like, in the same location' ],
     [ 'an address', $ZONE,
       'location / { proxy_pass http://127.0.0.1:1; health_check; }',
       'requires the name of an upstream in "proxy_pass", or its like, '
       . 'not "http://127.0.0.1:1"' ],
     [ 'a variable', $ZONE,
       'location / { proxy_pass http://$http_x; health_check; }',
       'requires "upstream=" with the names of the upstreams, since there '
       . 'are variables in "http://$http_x"' ],
     [ 'a variable and a name', $ZONE,
       'location / { proxy_pass http://$http_x; health_check upstream=app; }',
       undef ],
     [ 'a variable and an unknown name', $ZONE,
       'location / { proxy_pass http://$http_x; '
       . 'health_check upstream=app,web; }',
       'refers to an unknown upstream "web"' ],
     [ 'a variable that names nothing', $ZONE,
       "location / { $PASS health_check upstream=\$http_x; }",
       'refers to a variable that is not known to name upstreams "$http_x"' ],
     [ 'a match further down', $ZONE,
       "location / { $PASS health_check match=ok; } } match ok { status 200;",
       undef ],
     [ 'an unknown match', $ZONE,
       "location / { $PASS health_check match=ok; }",
       'refers to an unknown match "ok"' ],
     [ 'gRPC without grpc_pass', $ZONE,
       "location / { $PASS health_check type=grpc; }",
       'with "type=grpc" requires "grpc_pass"' ],
     [ 'gRPC', $ZONE,
       'location / { grpc_pass app; '
       . 'health_check interval=1s type=grpc grpc_service=x grpc_status=12; }',
       undef ],
     [ 'FastCGI, uwsgi, SCGI, memcached', $ZONE,
       'location /f { fastcgi_pass app; health_check; } '
       . 'location /u { uwsgi_pass app; health_check; } '
       . 'location /s { scgi_pass app; health_check; } '
       . 'location /m { set $memcached_key x; memcached_pass app; '
       . 'health_check; }',
       undef ],
     [ 'two in one location', $ZONE,
       "location / { $PASS health_check; health_check uri=/2; }", undef ],
     [ 'two of one upstream', $ZONE,
       "location / { $PASS health_check; }\n"
       . "location /2 { $PASS health_check; }", undef ])
{
    my ($what, $zone, $location, $message) = @$_;

    my ($ok, $text) = $node->test_config(conf($zone, $location));

    if (!defined $message) {
        ok($ok, $what) or diag($text);
        next;
    }

    ok(!$ok, "$what: refused");
    like($text, qr/\[emerg\] .*"health_check"/, '... by name');
    like($text, qr/\Q$message\E/, '... for the reason');
    like($text, qr{ in \S*test\.conf:\d+}, '... with the place');
}

# without the object that knows upstreams

my $modules = Duplex::Node::modules();
my $prefix = $node->prefix();

my $main = <<"EOM";
load_module $modules/ngx_duplex_core_module.so;
load_module $modules/ngx_http_duplex_health_module.so;
pid $prefix/nginx.pid;
error_log $prefix/error.log;
EOM

my ($ok, $text) = $node->test_config(
    conf($ZONE, "location / { $PASS health_check; }", $main));

ok(!$ok, 'without the upstream module: refused');
like($text, qr/requires ngx_http_duplex_upstream_module\.so to be loaded/,
     '... which is named');

done_testing();
