#!/usr/bin/perl

# A route leads to its server, with every stock balancer, wherever "sticky"
# and "keepalive" stand in the block; and keepalive goes on working.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/a b/;

my $sticky = 'sticky route $cookie_route $arg_r;';

my %groups = (
    rr1     => "$sticky keepalive 4;",
    rr2     => "keepalive 4; $sticky",
    least1  => "least_conn; keepalive 4; $sticky",
    least2  => "keepalive 4; $sticky least_conn;",
    least3  => "$sticky least_conn; keepalive 4;",
    hash1   => "$sticky hash \$arg_x; keepalive 4;",
    hash2   => "keepalive 4; hash \$arg_x; $sticky",
    chash   => "keepalive 4; $sticky hash \$arg_x consistent;",
    iphash  => "ip_hash; keepalive 4; $sticky",
    random1 => "$sticky keepalive 4; random;",
    random2 => "keepalive 4; random two; $sticky",
);

my $upstreams = '';
my $locations = '';

for my $name (sort keys %groups) {
    for my $zone ('', 'z') {
        $upstreams .= "upstream $name$zone {\n"
            . ($zone ? "    zone $name 64k;\n" : '')
            . "    $groups{$name}\n"
            . "    server %%a%% route=a;\n    server %%b%% route=b;\n}\n";

        $locations .= "location /$name$zone {\n"
            . "    proxy_pass http://$name$zone;\n}\n";
    }
}

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<"EOC",
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    $upstreams

    server {
        listen %%LISTEN_front%%;

        proxy_http_version 1.1;
        proxy_set_header Connection "";

        $locations
    }
}
EOC
);

$node->start();

for my $name (map { ($_, "${_}z") } sort keys %groups) {

    my $answers = join '', map {
        my $route = $_ % 2 ? 'b' : 'a';
        $node->get("/$name?r=$route&x=$_")->{headers}{'x-backend'} eq $route
            ? 1 : 0
    } 1 .. 20;

    is($answers, '1' x 20, "$name: 20 routes");

    my %conn;
    for my $r (map { $_->requests(uri => qr{^/$name\?}) } values %b) {
        $conn{$r->{peer}} = 1;
    }

    is(scalar keys %conn, 2, "$name: 2 connections");
}

# the first variable that is not empty

is($node->get('/rr1z?r=a', cookie => 'route=b')->{headers}{'x-backend'}, 'b',
   'the first variable counts');

# what is not a route is balanced

for my $uri ('/rr1z', '/rr1z?r=nobody', '/rr1') {
    my %seen = map { $node->get($uri)->{headers}{'x-backend'} => 1 } 1 .. 4;
    is(join(' ', sort keys %seen), 'a b', "$uri is balanced");
}

# requests by route count in the fairness: the others go elsewhere, but one
# round is all that is remembered

$node->get('/rr1z?r=a') for 1 .. 20;

my @others = map { $node->get('/rr1z')->{headers}{'x-backend'} } 1 .. 6;
is($others[0], 'b', 'the one without sessions is first');
cmp_ok(scalar(grep { $_ eq 'a' } @others), '>=', 2, 'and not shunned for long')
    or diag("@others");

done_testing();
