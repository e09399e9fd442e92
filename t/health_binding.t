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
       'requires "proxy_pass" with the name of an upstream' ],
     [ 'proxy_pass of the parent', $ZONE,
       "location / { $PASS location /x { health_check; } }",
       'requires "proxy_pass" with the name of an upstream' ],
     [ 'an address', $ZONE,
       'location / { proxy_pass http://127.0.0.1:1; health_check; }',
       'requires "proxy_pass" with the name of an upstream' ],
     [ 'a variable', $ZONE,
       'location / { proxy_pass http://$http_x; health_check; }',
       'requires "proxy_pass" with the name of an upstream' ],
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
