#!/usr/bin/perl

# Configurations of nodes that differ in what they share: one warning for each
# difference, which names group and parameter, and the same in the API, on
# both nodes; none when they are equal again.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        %%SERVERS%%
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:%%SIZE%% timeout=1h sync;
    }

    %%MORE%%

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            health_check interval=%%INTERVAL%% uri=/;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }

        location /metrics {
            duplex_metrics;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server %%OTHER%%;
    }
}
EOC

my $ports = Duplex::Ports->new();
my @servers = map { "127.0.0.2$_:" . $ports->port('backend') } 1 .. 3;

my %same = (
    SERVERS => "server $servers[0]; server $servers[1] weight=2;",
    SIZE => '1m', INTERVAL => '1s', MORE => '',
);

my ($a, $b) = map {
    my ($name, $n) = @$_;
    Duplex::Node->new(
        name => $name, address => "127.0.0.1$n", ports => $ports,
        conf => $CONF, vars => {
            %same, OTHER => '127.0.0.1' . (3 - $n) . ':%%PORT_sync%%' })
} ['a', 1], ['b', 2];

$_->start() for $a, $b;

happens { both_said() } 10, 'both have said what their files say';
happens { skew($a) eq '' && skew($b) eq '' } 5, 'equal files do not differ';

# one of them changes

my %mark = map { $_ => $_->mark() } $a, $b;

my %other = (
    SERVERS => "server $servers[0] max_fails=7; server $servers[1] weight=2;"
               . " server $servers[2];",
    SIZE => '2m', INTERVAL => '2s',
    MORE => 'upstream sql { zone sql 256k; server 127.0.0.1:1; }',
);

$b->configure($CONF, %same, %other);
$b->reload();

my @want = (
    [upstream => 'app', 'health_check uri=/ interval', '1000ms', '2000ms'],
    [upstream => 'app', "server $servers[0] max_fails", 1, 7],
    [upstream => 'app', "server $servers[2]", undef, qr/^weight=1 /],
    [upstream => 'sql', undef, undef, 'configured'],
    [zone => 'sessions', 'zone size', 1048576, 2097152],
);

happens { differences($a) == @want && differences($b) == @want } 15,
    'each knows how many differences there are';

for my $node ($a, $b) {
    my ($status, $skew) = $node->api_get('/api/9/duplex/skew');

    my %got = map {
        my @line = @{$_}{qw/of name parameter here there/};
        (join($;, map { $_ // '' } @line[0 .. 2]) => \@line)
    } @$skew;
    my @got = @got{sort keys %got};

    is(scalar @got, scalar @want, $node->name() . ' shows them all');

    for my $i (0 .. $#want) {
        my @line = @{$want[$i]};
        @line[3, 4] = @line[4, 3] if $node == $b;

        for my $k (0 .. 4) {
            my $what = $node->name() . " difference $i field $k";

            ref $line[$k] ? like($got[$i][$k], $line[$k], $what)
                          : is($got[$i][$k], $line[$k], $what);
        }
    }
}

$a->wait_log(qr/\[warn\].* configuration differs from node "b": upstream "app": "server \Q$servers[0]\E max_fails" is 1 here, 7 there/,
             1, $mark{$a});
$a->wait_log(qr/\[warn\].* from node "b": upstream "sql" is only there/, 1,
             $mark{$a});
$b->wait_log(qr/\[warn\].* from node "a": zone "sessions": "zone size" is 2097152 here, 1048576 there/,
             1, $mark{$b});

like(Duplex::Client::get($a->address('api'), '/metrics')->{body},
     qr/^nginx_duplex_node_differences\{node="b"[^}]*\} 5$/m, 'a metric of it');

# reloads say nothing again of what they do not change

my $mark = $b->mark();
$b->reload(wait_old => 1);

$b->configure($CONF, %same, %other, INTERVAL => '3s');
$b->reload(wait_old => 1);
$b->wait_log(qr/"health_check uri=\/ interval" is 3000ms here, 1000ms there/,
             10, $mark);
is(scalar(() = $b->grep_log(qr{differs}, $mark)), 1, 'told once');

# equal again

$b->configure($CONF, %same);
$b->reload();
happens { skew($a) eq '' && skew($b) eq ''
          && !differences($a) && !differences($b) } 15, 'nothing differs';

done_testing();


sub skew {
    my ($node) = @_;

    my ($status, $skew) = $node->api_get('/api/9/duplex/skew');
    return join "\n", map {
        join ' ', map { $_ // '-' } @{$_}{qw/node of name parameter here there/}
    } @$skew;
}


sub differences {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return $nodes->[0]{differences};
}


sub both_said {
    my %records = map {
        my ($status, $digests) = $_->api_get('/api/9/duplex/digests');
        $_ => JSON::PP->new->canonical->encode($digests);
    } $a, $b;

    return $records{$a} eq $records{$b} && $records{$a} =~ /zone:sessions/;
}
