#!/usr/bin/perl

# Servers are added, changed and removed without a pause while requests with
# long answers are under way, with every balancer: no request fails, and when
# members are as before, so are the counters and what the hashes map to.
#
# DUPLEX_CHURN=60 goes on for a minute.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $seconds = $ENV{DUPLEX_CHURN} || 3;
my @groups = qw/rr lc hash chash iphash random two sticky/;

my %balancer = (
    rr     => '',
    lc     => 'least_conn;',
    hash   => 'hash $arg_k;',
    chash  => 'hash $arg_k consistent;',
    iphash => 'ip_hash;',
    random => 'random;',
    two    => 'random two;',
    sticky => 'sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                      zone=sessions:1m;',
);

my $upstreams = join '', map { "
    upstream $_ {
        zone $_ 64k;
        duplex_spare 300;
        server 127.0.0.1:%%PORT_back%%;
        server 127.0.0.2:%%PORT_back%% weight=2;
        server 127.0.0.3:%%PORT_back%% max_fails=0;
        $balancer{$_}
    }" } @groups;

my $node = Duplex::Node->new(name => 'a', conf => <<"EOC");
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
    worker_connections 2048;
}

http {
    %%HTTP%%
    $upstreams

    map \$uri \$group {
        @{[ map { "~[$_]\$ $groups[$_];\n" } 0 .. $#groups ]}
        default rr;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://\$group;
            add_header X-Backend \$upstream_addr;
            error_log /dev/null crit;
        }

        location ~ ^/only/(?<only>\\w+) {
            proxy_pass http://\$only;
            add_header X-Backend \$upstream_addr;
        }
    }

    server {
        listen %%PORT_back%%;

        location / {
            root %%PREFIX%%;
            try_files /long =404;
            limit_rate 100k;
            add_header Set-Cookie sid=\$request_id;
        }

        location /only { return 200 ok; }
    }

    server {
        listen %%LISTEN_api%%;
        keepalive_requests 100000;
        location /api/ { api write=on; }
    }
}
EOC

$node->write_file('long', 'x' x 20000);
$node->start();

my %mapped = map { $_ => mapped($_) } qw/hash chash iphash/;
my %servers = map { $_ => servers($_) } @groups;

my $load = Duplex::Load->start(targets => [ $node->address('front') ],
    clients => 48, rate => 600, uri => '/%r');

wait_for { $load->report()->{ok} > 100 } 10, 'requests are answered';

# addresses that answer, and some that refuse

my @pool = ((map { "127.0.0.$_:" . $node->port('back') } 4 .. 12),
            map { "127.0.0.$_:1" } 4 .. 6);

my @api = map { Duplex::Connection->new($node->address('api')) } 1 .. 4;
my ($changes, $refused, %there) = (0, 0);
my $until = time() + $seconds;

srand 7;

while (time() < $until) {
    my $group = $groups[rand @groups];
    my $path = "/api/9/http/upstreams/$group/servers";
    my $there = $there{$group} ||= {};
    my $server = $pool[rand @pool];
    my $id = $there->{$server};
    my $api = $api[rand @api];
    my $r;

    if (!defined $id) {
        $r = $api->request('POST', $path, body => qq({"server":"$server",)
                           . '"weight":' . (1 + int rand 3) . '}');
        $there->{$server} = JSON::PP::decode_json($r->{body})->{id}
            if $r->{status} == 201;

    } elsif (rand() < 0.4) {
        $r = $api->request('PATCH', "$path/$id", body => '{"weight":'
            . (1 + int rand 5) . ',"down":' . (rand() < 0.3 ? 'true' : 'false')
            . '}');

    } else {
        $r = $api->request('DELETE', "$path/$id");
        delete $there->{$server} if $r->{status} == 200;
    }

    $r->{status} =~ /^20[01]$/ ? $changes++ : $refused++;
}

is($refused, 0, 'all changes were accepted');
cmp_ok($changes, '>', 20 * $seconds, 'there were many');
diag("$changes changes in $seconds s");

for my $group (@groups) {
    for (values %{$there{$group}}) {
        api_call($node->address('api'), 'DELETE',
                 "/api/9/http/upstreams/$group/servers/$_");
    }
}

my $report = $load->stop();

is($report->{failed}, 0, 'no request failed')
    or diag(Duplex::Load::summary($report));

# as before

wait_for { !grep { busy($_) } @groups } 10, 'nothing is under way';

for my $group (@groups) {
    is_deeply(servers($group), $servers{$group}, "$group: the same servers");
    is_deeply(mapped($group), $mapped{$group}, "$group: the same mapping")
        if $mapped{$group};
}

# consistent hashing moves the keys of changed servers only

api_call($node->address('api'), 'POST', '/api/9/http/upstreams/chash/servers',
         { server => $pool[0] });

my ($was, $is) = ($mapped{chash}, mapped('chash'));

ok((grep { $_ eq $pool[0] } values %$is), 'the new server has keys');
is(scalar(grep { $is->{$_} ne $was->{$_} && $is->{$_} ne $pool[0] } keys %$is),
   0, 'no key has moved to an old one');

done_testing();


sub servers {
    my ($group) = @_;
    return (api_get($node->address('api'),
                    "/api/9/http/upstreams/$group/servers"))[1];
}


sub busy {
    my ($group) = @_;

    my ($status, $data) = api_get($node->address('api'),
                                  "/api/9/http/upstreams/$group");

    return $data->{zombies} || grep { $_->{active} } @{$data->{peers}};
}


# key => server
sub mapped {
    my ($group) = @_;

    return { map { $_ => get($node->address('front'), "/only/$group?k=$_",
                             from => '127.0.' . $_ . '.1'
                             )->{headers}{'x-backend'} } 1 .. 60 };
}
