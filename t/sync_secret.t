#!/usr/bin/perl

# A shared secret: who does not know it comes in nowhere and changes nothing,
# also not by repeating what was said before him; it is exchanged without a
# moment in which nodes do not know each other; and it is never said.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Wire qw/:all/;


my $OLD = 'the old secret of the pair';
my $NEW = 'another one, the new secret';

my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_cluster %%CLUSTER%%;

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
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_secret secret;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my $pair = Duplex::Pair->new(conf => $CONF, backends => 0,
                             vars => { CLUSTER => 'shop' });
my ($a, $b) = $pair->nodes();

secret($_, "# of the pair\n\n$OLD\n") for $a, $b;
$pair->start();

$a->patch_peer('app', '127.0.0.1:1', { down => true });
happens { $b->peer_state('app', '127.0.0.1:1') eq 'down' } 2,
    'a change passes';

# strangers, each from an address of his own

my $clock = time() * 1000;
my $n = 0;
my %cases = (
    'no secret' => { refused => 7 },
    'a wrong secret' => { secret => $NEW, refused => 7 },
    'another cluster' => { secret => $OLD, cluster => 'bank', refused => 5 },
    'a version of another age' =>
        { secret => $OLD, lowest => 9, highest => 10, refused => 3 },
    'the name of a node' => { secret => $OLD, name => 'a', later => 2 },
    'a clock of another age' =>
        { secret => $OLD, clock => 2 * $clock, later => 4 },
    'a proof of nothing' => { secret => $OLD, later => 7,
                              break => sub { "\0" x 32 } },
    'our own proof' => { secret => $OLD, later => 7, break => sub { $_[1] } },
    'a proof too short' => { secret => $OLD, closed => 1,
                             break => sub { 'x' } },
);

for my $what (sort keys %cases) {
    my %case = %{$cases{$what}};
    my $from = '127.0.3.' . ++$n;
    my $mark = $a->mark();

    my $wire = Duplex::Wire->new($a->address('sync'), from => $from);
    my ($type, $payload) = $wire->handshake(cluster => 'shop', %case);

    if ($case{refused}) {
        is($type, REFUSE, "$what: refused");
        is(unpack('n', $payload), $case{refused}, "$what: why");

    } else {
        is($type, WELCOME, "$what: not yet");
        ok($wire->{trusted}, "$what: the node proves itself");

        if ($case{break}) {
            delete $wire->{in};
        }

        ($type, $payload) = $wire->recv();
        is($type && unpack('n', $payload), $case{later}, "$what: refused")
            if $case{later};
    }

    # whatever it still says is not read

    $wire->send(TABLE, pack 'n N Q> Q> C/a*', 0, 0, 1, 10, 'duplex:store');
    ok($wire->is_closed(), "$what: closed");

    is(scalar $a->grep_log(qr/\Q$from\E/, $mark), 1, "$what: one line");
}

my ($status, $nodes) = $a->api_get('/api/9/duplex/nodes');
is("@{[ sort map { $_->{name} } @$nodes ]}", 'b', 'none became a node');

# somebody who knows it

my $wire = Duplex::Wire->new($a->address('sync'), name => 'c', from => '127.0.4.2');
my ($type) = $wire->handshake(cluster => 'shop', secret => $OLD);

is($type, WELCOME, 'whoever knows it is welcome');

my $table = $wire->sealed(frame(TABLE, pack 'n N Q> Q> C/a*', 0, 0, 1, 10,
                                'duplex:store'));
$wire->write($table);

($type) = $wire->recv();
is($type, ACK, 'and is answered');

# the same again, in the next place

my $mark = $a->mark();

$wire->write($table);
ok($wire->is_closed(), 'a frame that is repeated is none');
$a->wait_log(qr/from node "c".*malformed frame: bad authentication code/, 2,
             $mark);

# the handshake of that link is good for no other

$wire = Duplex::Wire->new($a->address('sync'), name => 'c',
                          from => '127.0.4.3');
$wire->handshake(cluster => 'shop', secret => $OLD);

$wire->write($table);
ok($wire->is_closed(), 'nor is one of another link');

# exchanged: both are known, then the new one is used, then the old one goes

for my $lines ("$OLD\n$NEW\n", "$NEW\n$OLD\n", "$NEW\n") {
    for my $node ($a, $b) {
        secret($node, $lines);
        $node->reload(wait_old => 1);
        wait_for { linked($a) && linked($b) } 5, 'the pair to be linked';
    }
}

pass('exchanged without a moment between');

is((Duplex::Wire->new($a->address('sync'), from => '127.0.4.1')
        ->handshake(cluster => 'shop', secret => $OLD))[0],
   REFUSE, 'the old one is of no use');

# a pair that does not agree

my $before = $b->mark();

secret($b, "$OLD\n");
$b->reload(wait_old => 1);

happens { other($a)->{error} eq 'refused: secret'
          && other($b)->{error} eq 'refused: secret' } 5, 'both say why';

cmp_ok(scalar $b->grep_log(qr/\[error\].*secret/, $before), '<=', 4,
       'and do not go on about it');

is(scalar $_->grep_log(qr/sent no handshake: closed/), 0,
   'finding itself is no news') for $a, $b;
is(scalar $_->grep_log(qr/\Q$OLD\E|\Q$NEW\E/), 0, 'the log does not have it')
    for $a, $b;

$_->expect_log(qr/bad authentication code/) for $a, $b;

done_testing();


sub secret {
    my ($node, $text) = @_;

    $node->write_file('secret', $text);
    chmod 0600, $node->prefix() . '/secret';
}


sub linked {
    my ($node) = @_;

    my $other = other($node);
    return $other->{state} eq 'online' && $other->{in}{state} eq 'online';
}


sub other {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return $nodes->[0];
}
