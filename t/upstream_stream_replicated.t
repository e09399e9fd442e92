#!/usr/bin/perl

# A server of stream that is set down on one node is out on both before the
# next connection could tell, and stays out over reloads and over the return
# of a node that was killed.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $conf = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    upstream app {
        zone app 256k;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%%;
    }

    server {
        listen %%LISTEN_front%%;
        proxy_pass app;
    }

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my $pair = Duplex::Pair->new(backends => 2, conf => $conf)->start();
my ($a, $b) = $pair->nodes();

my $b1 = $pair->backend('b1')->address();

used($_, 'b1 b2') for $a, $b;

# $b has it when $a has shipped all

$a->patch_peer('stream/app', $b1, { down => true });
used($a, 'b2');

wait_for { $pair->is_shipped($a) } 5, 'the other node to know';
is($b->peer_state('stream/app', $b1), 'down', 'state on the other node');
used($b, 'b2');

for my $node ($a, $b) {
    $node->reload();
    is($node->peer_state('stream/app', $b1), 'down',
       'down after a reload of ' . $node->name());
    used($node, 'b2');
}

$b->kill9();
$b->start();
$pair->wait_linked();

is($b->peer_state('stream/app', $b1), 'down', 'down for a node that is new');
used($b, 'b2');

$b->patch_peer('stream/app', $b1, { down => false });
used($b, 'b1 b2');

wait_for { $pair->is_shipped($b) } 5, 'the first node to know';
used($a, 'b1 b2');

$a->wait_log(qr/peer "$b1" in stream upstream "app" is now up: administrator/,
             5);

done_testing();


# exactly these answer, and no connection fails
sub used {
    my ($node, $who) = @_;

    my %used;
    $used{eval { get($node->address('front'), '/')->{body} } // "failed: $@"}++
        for 1 .. 10;

    chomp(my @used = sort keys %used);
    is("@used", $who, $node->name() . ": $who used");
}
