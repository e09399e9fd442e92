#!/usr/bin/perl

# keepalive_time: probes share a connection for that long, and its end leads
# to a probe at once; a server that closes idle connections is not taken for a
# dead one, and is not probed more often for it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use Duplex::Raw;


my ($kept, $short, $dies) = map { Duplex::Backend->new(name => "b$_") } 1 .. 3;

# closes what is idle for 50 ms

my $impatient = Duplex::Raw::tcp(impatient => sub {
    my ($c) = @_;

    while (1) {
        my $in = '';
        vec($in, fileno $c, 1) = 1;

        select($in, undef, undef, 0.05) or last;
        sysread($c, my $request, 65536) or last;

        syswrite($c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
});

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $kept->address(), be2 => $short->address(),
              be3 => $dies->address(), be4 => $impatient },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    proxy_http_version 1.1;
    proxy_set_header Connection "";

    upstream kept {
        zone kept 256k;
        server %%be1%%;
    }

    upstream short {
        zone short 256k;
        server %%be2%%;
    }

    upstream dies {
        zone dies 256k;
        server %%be3%%;
    }

    upstream impatient {
        zone impatient 256k;
        server %%be4%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://kept;
            health_check interval=50ms keepalive_time=1h;
        }

        location /short {
            proxy_pass http://short;
            health_check interval=50ms keepalive_time=200ms;
        }

        location /dies {
            proxy_pass http://dies;
            health_check interval=20s keepalive_time=1h mandatory;
        }

        location /impatient {
            proxy_pass http://impatient;
            health_check interval=400ms keepalive_time=1h mandatory;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}
EOC
);

$node->start();

# one connection, or several that are not older than they may be

sub connections {
    my ($backend) = @_;
    my %conn;
    push @{$conn{$_->{conn}}}, $_->{time} for $backend->requests();
    return values %conn;
}

wait_for { $kept->count() >= 12 && $short->count() >= 16 } 10, 'probes';

is(scalar(my @one = connections($kept)), 1, 'one connection for all probes');

my @several = connections($short);
my ($longest) = sort { $b <=> $a } map { $_->[-1] - $_->[0] } @several;

cmp_ok(@several, '>=', 2, 'keepalive_time: several connections');
cmp_ok(@several, '<', $short->count() / 2, '... for several probes each');
cmp_ok($longest, '<', 0.35, '... and none is much older');

# the end of a connection, long before the next probe is due

$node->wait_log(qr/upstream "dies" is now up/);
my $probes = $dies->count();
my $mark = $node->mark();
my $killed = time();
$dies->kill9();

like($node->wait_log(qr/upstream "dies" is now/, 5, $mark),
     qr/unhealthy: connect: /, 'the end of a server is seen');
cmp_ok(time() - $killed, '<', 2, '... long before the next probe was due');

# an end that means nothing

my $peer = sub { return $node->peers('impatient')->{$impatient} };

wait_for { $peer->()->{health_checks}{checks} >= 6 } 10, 'probes';

is($node->grep_log(qr/upstream "impatient" is now unhealthy/), 0,
   'a server that ends idle connections is not unhealthy');

my $checks = $peer->()->{health_checks}{checks};
my $since = time();
wait_for { $peer->()->{health_checks}{checks} >= $checks + 4 } 10, 'probes';

cmp_ok(time() - $since, '>', 3 * 0.4 * 0.8,
       '... and is not probed more often for it');

# nobody waits for kept connections

my $quit = time();
$node->stop();
cmp_ok(time() - $quit, '<', 1.5, 'nginx quits at once');

done_testing();
