#!/usr/bin/perl

# Whatever is done to the wire or to the other node, with changes on both
# sides: soon after it is over both hold the same, and nothing newer was lost.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Relay;
use Duplex::Test;
use Duplex::Wire qw/:all/;

use constant SERVERS => 4;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
thread_pool default threads=2;
duplex_store state/store;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 512k;
        %%SERVERS%%
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h sync;
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
        zone_sync_secret secret;
        zone_sync_server %%OTHER%%;
    }
}
EOC

my $ports = Duplex::Ports->new();

my @backends = map {
    Duplex::Backend->new(address => "127.0.0.2$_",
                         port => $ports->port('backend'),
                         set => { sessions => 1 })
} 1 .. SERVERS;

my $servers = join ' ', map { 'server ' . $_->address() . ';' } @backends;

# each dials the other through a wire of its own

my ($a, $b) = map {
    my ($name, $n) = @$_;

    my $node = Duplex::Node->new(
        name => $name, address => "127.0.0.1$n", ports => $ports,
        conf => $CONF, vars => { SERVERS => $servers,
                                 OTHER => "127.0.0.4$n:%%PORT_sync%%" });

    $node->write_file('secret', "the secret of this pair\n");
    chmod 0600, $node->prefix() . '/secret';
    $node
} ['a', 1], ['b', 2];

my @wires = map {
    my ($n, $to) = @$_;
    Duplex::Relay->new(from => "127.0.0.4$n", port => $ports->port('sync'),
                       to => $to->address('sync'))
} [1, $b], [2, $a];

$_->start() for $a, $b;
settled('at first', 10);

# the wire

faulty('a cut of one way', 1.5, sub {
    $wires[0]->set(up => { hold => 1 });
    $wires[1]->set(down => { hold => 1 });
});

faulty('a cut of one link', 1.5, sub {
    $wires[0]->set(both => { hold => 1 });
});

faulty('a cut of both ways', 1.5, sub {
    $_->set(both => { hold => 1 }) for @wires;
});

faulty('delay and jitter', 0.5, sub {
    $_->set(both => { delay => 50, jitter => 40 }) for @wires;
});

faulty('losses', 0.5, sub {
    $_->set(both => { delay => 5, stall => 20 }) for @wires;
});

faulty('a slow wire', 0.5, sub {
    $_->set(both => { chunk => 7, delay => 2 }) for @wires;
});

# the other node

faulty('a node that is stopped', 1.5, sub {
    kill('STOP', $_) for $b->workers();
}, sub {
    kill('CONT', $_) for $b->workers();
}, $a);

faulty('a worker that is killed', 0.1, sub {
    $b->kill9_worker(($b->workers())[0]);
    wait_for { $b->workers() == 2 } 5, 'another worker';
});

# a clock that is ahead: what is changed later elsewhere counts all the same

my $wire = Duplex::Wire->new($a->address('sync'), from => '127.0.3.1',
                             name => 'ahead');
$wire->handshake(secret => 'the secret of this pair',
                 clock => int((time() + 600) * 1000));
$wire->send(BYE, '');

for my $down (1, 0, 1) {
    for my $node ($a, $b) {
        change($node, 0, $down);
        settled('what is said first', 2);
        change($node == $a ? $b : $a, 0, !$down);

        settled('a clock that is ahead', 2);
        is($_->peers('app')->{$backends[0]->address()}{state},
           $down ? 'up' : 'down', 'what was said last counts')
            for $a, $b;
    }
}

done_testing();


# changes before, during and after, on both sides, or on one
sub faulty {
    my ($what, $time, $break, $mend, @nodes) = @_;

    @nodes = ($a, $b) if !@nodes;
    $mend ||= sub { $_->set() for @wires };

    change($_, int rand SERVERS, int rand 2) for $a, $b;

    $break->();

    my $until = time() + $time;

    do {
        for my $node (@nodes) {
            change($node, int rand SERVERS, int rand 2);
            $node->get('/') for 1 .. 5;
        }
        sleep 0.05;
    } while time() < $until;

    # the last word on each server is said by one side
    my %last;

    for my $i (0 .. SERVERS - 1) {
        my $node = $nodes[$i % @nodes];
        $last{$backends[$i]->address()} = $i % 2 ? 'down' : 'up';
        change($node, $i, !($i % 2));
        change($node, $i, $i % 2);
        sleep 0.002;
    }

    $mend->();

    my $start = time();
    settled($what, 1);
    note(sprintf "%s: settled after %.0f ms", $what, (time() - $start) * 1000);

    for my $node ($a, $b) {
        my $peers = $node->peers('app');
        is_deeply({ map { $_ => $peers->{$_}{state} } keys %$peers }, \%last,
                  "$what: " . $node->name() . ' has what was said last');
    }
}


# both hold the same, and it is not nothing
sub settled {
    my ($what, $limit) = @_;

    happens {
        my ($x, $y) = map { digests($_) } $a, $b;
        $x eq $y || die "$x\n$y\n";
    } $limit, "$what: both hold the same";
}


sub digests {
    my ($node) = @_;

    my ($status, $data) = $node->api_get('/api/9/duplex/digests');
    return JSON::PP->new->canonical->encode($data);
}


sub change {
    my ($node, $id, $down) = @_;

    my $r = request($node->address('api'), 'PATCH',
                    $node->upstream_path('app') . "/servers/$id?wait=none",
                    body => $down ? '{"down":true}' : '{"down":false}');

    die "PATCH: $r->{status} $r->{body}\n" if $r->{status} != 200;
}
