#!/usr/bin/perl

# A link that was cut, or a node that was away, for longer than deletions are
# remembered: what was deleted meanwhile does not come back, on neither side,
# and what was said meanwhile is not lost.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Relay;
use Duplex::Test;

use constant LIFETIME => 1;     # of a deletion, s


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store state/store;
duplex_tombstone_lifetime 1s;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 512k;
        server 127.0.0.1:1 weight=3;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
        }
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
        zone_sync_server %%OTHER%%;
    }
}
EOC

my %ADDRESS = (x1 => 2, y1 => 3, old => 4, x2 => 5, y2 => 6, x3 => 7);

my $ports = Duplex::Ports->new();

my ($a, $b) = map {
    my ($name, $n) = @$_;
    Duplex::Node->new(
        name => $name, address => "127.0.0.1$n", ports => $ports,
        conf => $CONF, vars => { OTHER => "127.0.0.4$n:%%PORT_sync%%" })
} ['a', 1], ['b', 2];

my @wires = map {
    my ($n, $to) = @$_;
    Duplex::Relay->new(from => "127.0.0.4$n", port => $ports->port('sync'),
                       to => $to->address('sync'))
} [1, $b], [2, $a];

$_->start() for $a, $b;
settled('at first', 10);

# each deletes what the other one has, and adds something

add($a, 'x1');
add($b, 'y1');
add($a, 'old');
settled('all are on both', 5);
sleep 1.5 * LIFETIME;

$_->set(both => { hold => 1 }) for @wires;
happens { online($a) + online($b) == 0 } 10, 'the wire is cut';

del($a, 'x1');
del($b, 'y1');
add($a, 'x2');
add($b, 'y2');
$_->api_patch($_->upstream_path('app') . '/servers/0', { weight => 7 })
    for $b;

sleep 1.8 * LIFETIME;
$_->set() for @wires;

settled('a long cut', 5);
is(servers($_), 'old x2 y2', $_->name() . ': deleted is deleted, new is new')
    for $a, $b;
is(weight($_), 7, $_->name() . ': the later word counts') for $a, $b;

# a node that was stopped

$b->stop();
del($a, 'y2');
add($a, 'x3');
sleep 1.8 * LIFETIME;
$b->start();

settled('a node was away', 10);
is(servers($_), 'old x2 x3', $_->name() . ': nothing came back') for $a, $b;

# both were, one after the other

sleep 1.5 * LIFETIME;
$b->kill9();
del($a, 'x2');
sleep 1.8 * LIFETIME;
$a->kill9();
$a->start();
is(servers($a), 'old x3', 'its own journal brings nothing back');
$b->start();

settled('both were away', 10);
is(servers($_), 'old x3', $_->name() . ': nothing came back') for $a, $b;

# memory that is lost is no deletion

sleep 1.5 * LIFETIME;
$a->stop();
system('rm', '-r', $a->prefix() . '/state/store');
$a->start();

settled('one lost its memory', 10);
is(servers($_), 'old x3', $_->name() . ': nothing was lost') for $a, $b;

done_testing();


sub add {
    my ($node, $route) = @_;

    my ($status) = api_call($node->address('api'), 'POST',
                            $node->upstream_path('app') . '/servers',
                            { server => "127.0.0.1:$ADDRESS{$route}",
                              route => $route, down => JSON::PP::true });
    $status == 201 || die "POST: $status\n";
}


sub del {
    my ($node, $route) = @_;

    my ($server) = grep { ($_->{route} // '') eq $route } list($node);
    my ($status) = api_call($node->address('api'), 'DELETE',
                            $node->upstream_path('app')
                            . "/servers/$server->{id}");
    $status == 200 || die "DELETE: $status\n";
}


sub list {
    my ($node) = @_;

    my ($status, $list) = $node->api_get($node->upstream_path('app')
                                         . '/servers');
    return @$list;
}


# those that were added
sub servers {
    my ($node) = @_;
    return join ' ', sort grep { $_ } map { $_->{route} } list($node);
}


sub weight { return (list($_[0]))[0]{weight} }


sub online {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return grep { $_->{state} eq 'online' } @$nodes;
}


sub settled {
    my ($what, $limit) = @_;

    happens {
        online($a) + online($b) == 2 || die "not linked\n";
        my ($x, $y) = map { digests($_) } $a, $b;
        $x eq $y || die "$x\n$y\n";
    } $limit, "$what: both hold the same";
}


sub digests {
    my ($node) = @_;

    my ($status, $data) = $node->api_get('/api/9/duplex/digests');
    return JSON::PP->new->canonical->encode($data);
}
