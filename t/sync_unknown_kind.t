#!/usr/bin/perl

# A node of a later version: it speaks with us in ours, and what it says of
# things we do not know is kept, passed on to a node it does not speak with,
# deleted when it says so, and counted.  One that speaks only what we do not
# is refused.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Wire qw/:all/;


my $pair = Duplex::Pair->new(backends => 0, conf => <<'EOC')->start();
%%MAIN%%
duplex_node %%NAME%%;

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

my ($a, $b) = $pair->nodes();
$pair->wait_linked();

my $empty = digests($b);
my $now = int(time() * 1000) << 16;

# the next version is offered, ours is taken

my $wire = Duplex::Wire->new($a->address('sync'), name => 'later');
my ($type, $welcome) = $wire->handshake(lowest => 1, highest => 2);

is($type, WELCOME, 'welcome');
is(unpack('n', $welcome), 1, 'in version 1');

$wire->send(TABLE, pack('n N Q> Q> C/a*', 0, 0, 1, 10, 'duplex:store'));
say_records(1, pack('C n n Q>', 0, 3, 5, $now) . 'key' . 'value',
            pack('C n n Q>', 0, 5, 5, $now + 1) . 'other' . 'value');

happens { digests($b) ne $empty && digests($b) eq digests($a) } 5,
    'the other node has it, too';
is(unknown($a, 'later'), 2, 'counted');
cmp_ok(unknown($b, 'a'), '>=', 2, 'and there');

# deleted

my $both = digests($b);

say_records(2, pack('C n n Q>', 1, 3, 0, $now + 2) . 'key');
happens { digests($b) ne $both && digests($b) eq digests($a) } 5, 'deleted';

say_records(3, pack('C n n Q>', 1, 5, 0, $now + 3) . 'other');
happens { digests($b) eq $empty && digests($a) eq $empty } 5, 'all of it';

# only the next version

$wire = Duplex::Wire->new($a->address('sync'), name => 'much-later');
($type, my $refusal) = $wire->handshake(lowest => 2, highest => 3);
is($type, REFUSE, 'refused');
is(unpack('n', $refusal), 3, 'for its version');
ok($wire->is_closed(), 'and closed');

done_testing();


sub say_records {
    my ($position, @records) = @_;

    $wire->send(RECORDS, pack('n n a4 Q> C/a*', 0, scalar @records, 'zzzz',
                              $position, 'http:x') . join '', @records);
}


sub unknown {
    my ($node, $from) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    my ($other) = grep { $_->{name} eq $from } @$nodes;
    return $other->{in}{unknown};
}


# of the group of those records
sub digests {
    my ($node) = @_;

    my ($status, $data) = $node->api_get('/api/9/duplex/digests');
    return JSON::PP->new->canonical->encode($data);
}
