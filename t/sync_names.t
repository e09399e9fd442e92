#!/usr/bin/perl

# A list may contain the node itself; another node of the same name is
# refused by both, with one error each.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Ports;
use Duplex::Test;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node same;

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my $ports = Duplex::Ports->new();

my ($a, $b) = map {
    Duplex::Node->new(name => $_->[0], address => $_->[1], ports => $ports,
                      conf => $CONF)
} [ a => '127.0.0.11' ], [ b => '127.0.0.12' ];

# alone with itself

(my $alone = $CONF) =~ s/^.*127\.0\.0\.12:.*\n//m;

$a->configure($alone);
$a->start();

happens { ready($a)->{ready} } 2, 'a list of oneself: ready at once';
is(ready($a)->{reason}, 'no nodes listed', 'since nobody else is listed');
is(scalar @{nodes($a)}, 0, 'oneself is not shown');

# two of one name

$a->configure($CONF);
$a->reload();
$b->start();

for my $node ($a, $b) {
    my $name = $node->name();

    happens { nodes($node)->[0]{state} eq 'refused' } 5, "$name: refused";
    is(nodes($node)->[0]{error}, 'refused: name', "$name: for the name");
}

# several attempts later

sleep 1;

for my $node ($a, $b) {
    my $name = $node->name();

    my @refused = $node->grep_log(qr/was refused: it has our name/);
    my @refuses = $node->grep_log(qr/refuses to synchronise/);

    is(@refused, 1, "$name: has refused, said once")
        or diag(join "\n", @refused);
    is(@refuses, 1, "$name: was refused, said once")
        or diag(join "\n", @refuses);

    $node->expect_log(qr/was refused: it has our name|refuses to synchronise/);
    is(ready($node)->{ready} ? 1 : 0, $node == $a ? 1 : 0,
       "$name: who was ready stays it, the other waits") if $node == $a;
}

happens { ready($b)->{ready} } 4, 'b is ready for want of others';

done_testing();


sub nodes {
    my ($node) = @_;
    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return $nodes;
}


sub ready {
    my ($node) = @_;
    my ($status, $ready) = $node->api_get('/api/9/duplex/ready');
    return $ready;
}
