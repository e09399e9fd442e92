#!/usr/bin/perl

# Five nodes, each linked with each, all changing the same at once; two cut
# off from the rest; one that was away with its memory: all hold the same.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 1;
duplex_node %%NAME%%;
duplex_cluster five;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 512k;
        server 127.0.0.1:1;
        server 127.0.0.1:2;
        server 127.0.0.1:3;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        %%LIST%%
    }
}
EOC

my $ports = Duplex::Ports->new();
my @ip = map { "127.0.0.1$_" } 1 .. 5;

sub list {
    return join ' ', map { "zone_sync_server $_:%%PORT_sync%%;" } @_;
}

my @nodes = map {
    Duplex::Node->new(name => "n$_", address => $ip[$_ - 1], ports => $ports,
                      conf => $CONF, vars => { LIST => list(@ip) })
} 1 .. 5;

$_->start() for @nodes;
happens { online($_) == 4 } 10, $_->name() . ' is linked with four' for @nodes;

storm(@nodes);
settled('all at once', 3);

# two and three of them, which know only each other

$_->configure($CONF, LIST => list(@ip[0, 1])) for @nodes[0, 1];
$_->configure($CONF, LIST => list(@ip[2 .. 4])) for @nodes[2 .. 4];
$_->reload(wait_old => 1) for @nodes;
happens { online($_) == 1 } 5, $_->name() . ' has one' for @nodes[0, 1];
happens { online($_) == 2 } 5, $_->name() . ' has two' for @nodes[2 .. 4];

storm(@nodes);

$_->configure($CONF, LIST => list(@ip)) for @nodes;
$_->reload(wait_old => 1) for @nodes;
settled('a cluster that was two', 5);

# one loses its memory

$nodes[4]->kill9();
storm(@nodes[0 .. 3]);
$nodes[4]->start();
settled('one without memory', 5);

done_testing();


sub storm {
    for (1 .. 10) {
        for my $node (@_) {
            my $r = request($node->address('api'), 'PATCH',
                $node->upstream_path('app') . '/servers/' . int(rand 3)
                . '?wait=none',
                body => rand 2 < 1 ? '{"down":true}' : '{"down":false}');
            die "PATCH: $r->{status} $r->{body}\n" if $r->{status} != 200;
        }
    }
}


sub settled {
    my ($what, $limit) = @_;

    happens {
        my %digest;

        for my $node (@nodes) {
            my ($status, $data) = $node->api_get('/api/9/duplex/digests');
            $digest{JSON::PP->new->canonical->encode($data)}
                .= $node->name() . ' ';
        }

        keys %digest == 1 || die join "\n", %digest;
    } $limit, "$what: all hold the same";
}


# nodes that are linked both ways, with nothing pending
sub online {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');

    return scalar grep {
        $_->{state} eq 'online' && !$_->{pending} && $_->{in}{state} eq 'online'
    } @$nodes;
}
