#!/usr/bin/perl

# Nodes that are found by name: they join and leave as the name says, each
# finds itself, and what the name server does not know changes nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Names;
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
        server 127.0.0.1:1;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    resolver %%NAMES%% ipv6=off;

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server nodes.example:%%PORT_sync%% resolve;
    }
}
EOC

my $names = Duplex::Names->new();
my $ports = Duplex::Ports->new();
my %ip = (a => '127.0.0.11', b => '127.0.0.12', c => '127.0.0.13');

my %node = map {
    $_ => Duplex::Node->new(name => $_, address => $ip{$_}, ports => $ports,
                            conf => $CONF,
                            vars => { NAMES => $names->address() })
} keys %ip;

my ($a, $b, $c) = @node{qw/a b c/};

# the name does not exist

$a->start();
$a->wait_log(qr/"nodes.example" could not be resolved: Host not found/, 5);

my ($status, $ready) = $a->api_get('/api/9/duplex/ready');
is($ready->{state}, 'starting', 'a waits for it');

happens { (($a->api_get('/api/9/duplex/ready'))[1]{ready}) } 5,
    'not for ever';

# two of them

$names->set('nodes.example', @ip{qw/a b/});
$b->start();

happens { others($a) eq 'b' } 8, 'a has found b';
happens { others($b) eq 'a' } 8, 'and b has found a';

$a->patch_peer('app', '127.0.0.1:1', { down => true });
happens { $b->peer_state('app', '127.0.0.1:1') eq 'down' } 2,
    'a change passes';

# a third joins

$c->start();
$names->set('nodes.example', @ip{qw/a b c/});

happens { others($a) eq 'b c' } 8, 'c has joined at a';
happens { others($b) eq 'a c' } 8, 'at b';
happens { others($c) eq 'a b' } 8, 'and knows both';
is($c->peer_state('app', '127.0.0.1:1'), 'down', 'and what they know');

# over a reload, while the name server is silent

$names->set('nodes.example');
$a->reload(wait_old => 1);
$names->set('nodes.example', @ip{qw/a b c/});

happens { others($a) eq 'b c' } 8, 'a knows them after a reload';

# one leaves

my $mark = $a->mark();

$names->set('nodes.example', @ip{qw/a c/});

happens { others($a) eq 'c' } 8, 'b has left at a';
happens { others($c) eq 'a' } 8, 'at c';
$a->wait_log(qr/node at \Q$ip{b}\E:\d+ has left the list/, 1, $mark);

is(scalar $_->grep_log(qr/ is lost/), 0, $_->name() . ' lost nobody')
    for $a, $c;

done_testing();


# names of the nodes that are dialled and online
sub others {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');

    return join ' ', sort map { $_->{name} }
        grep { $_->{state} eq 'online' } @$nodes;
}
