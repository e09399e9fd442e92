#!/usr/bin/perl

# Three nodes, each linked with each: all hear of every change, and none goes
# round for ever.  Two that are not linked hear of each other through the
# third.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Ports;
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
        zone app 1m;
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
my @all = map { "zone_sync_server 127.0.0.1$_:%%PORT_sync%%;" } 1 .. 3;

my ($a, $b, $c) = my @nodes = map {
    Duplex::Node->new(name => $_->[0], address => $_->[1], ports => $ports,
                      conf => $CONF, vars => { LIST => "@all" })
} [ a => '127.0.0.11' ], [ b => '127.0.0.12' ], [ c => '127.0.0.13' ];

$_->start() for @nodes;

happens { linked($_, 2) } 10, $_->name() . ' is linked with two' for @nodes;

$a->patch_peer('app', '127.0.0.1:1', { down => true });
$b->patch_peer('app', '127.0.0.1:2', { down => true });
$c->patch_peer('app', '127.0.0.1:3', { down => true });

for my $node (@nodes) {
    happens { 3 == grep { $node->peer_state('app', "127.0.0.1:$_") eq 'down' }
              1 .. 3 } 2, $node->name() . ' has all three changes';
}

happens { linked($_, 2) } 5, $_->name() . ' is at rest' for @nodes;

my @before = map { records($_) } @nodes;
sleep 0.6;
my @after = map { records($_) } @nodes;

is("@after", "@before", 'nothing goes round');

# a and c lose sight of each other

$a->configure($CONF, LIST => $all[1]);
$c->configure($CONF, LIST => $all[1]);
$_->reload(wait_old => 1) for $a, $c;

happens { linked($_, 1) } 5, $_->name() . ' has b only' for $a, $c;

$a->patch_peer('app', '127.0.0.1:1', { down => false });

happens { $c->peer_state('app', '127.0.0.1:1') eq 'up' } 2,
    'c hears of a through b';

done_testing();


# online with "n" others in both directions, with nothing pending
sub linked {
    my ($node, $n) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');

    my @up = grep { $_->{state} eq 'online' && !$_->{pending}
                    && $_->{in}{state} eq 'online' } @$nodes;

    return @up == $n || die JSON::PP::encode_json($nodes) . "\n";
}


sub records {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return map { "$_->{name}:$_->{out}{records}:$_->{in}{records}" } @$nodes;
}
