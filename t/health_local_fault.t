#!/usr/bin/perl

# When this node cannot probe, that says nothing of the servers: no verdict,
# and one warning.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $backend = Duplex::Backend->new(name => 'b1');

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $backend->address() },
    conf => <<'EOC',
%%MAIN%%

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%be1%%;
    }

    upstream hidden {
        zone hidden 256k;
        server %%be1%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
        }

        location /bound {
            proxy_bind 192.0.2.1;
            proxy_pass http://app;
            health_check interval=50ms;
        }

        location /hidden {
            proxy_pass http://hidden;
            health_check interval=50ms;
            empty_gif;
        }
    }
}
EOC
);

$node->expect_log(qr/\[crit\].*bind\(192\.0\.2\.1\)/);
$node->start();

like($node->wait_log(qr/\[warn\].*peer.* in upstream "app"/),
     qr/could not be probed, its verdict stays: bind\(192\.0\.2\.1\) failed/,
     'an address that is not ours is a warning');

# a few intervals, shown by nothing but time

my $until = time() + 0.5;
wait_for { time() > $until } 2, 'ten intervals';

like($node->wait_log(qr/\[warn\].*peer.* in upstream "hidden"/),
     qr/stays: another directive of the location answers, not "proxy_pass"$/,
     'a location that answers by itself is another');
is($node->grep_log(qr/could not be probed/), 2, '... and only one of each');
is($node->grep_log(qr/is now/), 0, '... no verdict');
is($node->get('/')->{status}, 200, '... the server keeps its traffic');
is($backend->count(uri => qr{^/$}), 1, '... and saw no probe');

done_testing();
