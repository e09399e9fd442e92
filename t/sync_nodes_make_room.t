#!/usr/bin/perl

# 16 nodes are known at a time.  When the worker that served them is killed
# nobody says goodbye for it: they must not stand in the way of others.

use FindBin;
use lib "$FindBin::Bin/lib";

use Compress::Zlib qw/crc32/;
use IO::Socket::INET;

use Duplex::Test;

use constant { HELLO => 1, WELCOME => 2, REFUSE => 3, NODES => 16 };


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC')->start();
%%MAIN%%
worker_processes 1;
duplex_node %%NAME%%;

events {
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_timeout 2s;
    }
}
EOC

my @links = map { dial("n$_") } 1 .. NODES;

is((grep { answer($_) == WELCOME } @links), NODES, 'all are welcome');
is(answer(dial('late')), REFUSE, 'one more is not');

$node->kill9_worker($_) for $node->workers();
wait_for { $node->workers() } 5, 'another worker';

happens { answer(dial('late')) == WELCOME } 10,
    'it is, when those have gone with the worker that was killed';

$node->expect_log(qr/was refused: full|exited on signal 9/);

done_testing();


sub dial {
    my ($name) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => $node->address('sync'));
    return if !$socket;

    my $payload = 'NGXDUPLX' . pack('nn Q> Q> C/a* C/a* x2', 1, 1, 7,
                                    int(time() * 1000) << 16, $name, '');
    my $header = pack('NCCn', length $payload, HELLO, 0, 0);

    $socket->syswrite($header . pack('N', crc32($header . $payload))
                      . $payload);

    return $socket;
}


# the type of the first frame, 0: none
sub answer {
    my ($socket) = @_;

    return 0 if !$socket || !$socket->sysread(my $header, 12);
    return (unpack('NC', $header))[1];
}
