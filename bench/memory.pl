#!/usr/bin/perl

# Memory of a checked server: in the worker, and in the store.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Bench;


use constant SERVERS => 5000;
use constant CHUNK => 128;                      # bytes, of the store

my $backend = start_backend();
my $port = $backend->port();

my $conf = <<'EOC';
%%MAIN%%
%%size%%

events {
    worker_connections 4096;
}

http {
    %%HTTP%%

    upstream app {
        zone app 16m;
        %%servers%%
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            %%check%%
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api {
            %%api%%
        }
    }
}
EOC

my $servers = join "\n", map {
    'server 127.1.' . ($_ >> 8) . '.' . ($_ & 255) . ":$port;"
} 1 .. SERVERS;

# (kB of the worker, bytes of the store that are in use)
sub measure {
    my (%args) = @_;

    my $node = nginx($conf, plain => $args{plain}, vars => {
        servers => $servers, check => $args{check} || '',
        size => $args{plain} ? '' : 'duplex_store_size 64m;',
        api => $args{plain} ? 'return 204;' : 'api;' });

    if ($args{check}) {
        my $until = time() + 60;
        sleep 0.5 while $backend->count() < SERVERS && time() < $until;
        sleep 3;
    }

    my ($kb) = map { private_kb($_) } $node->workers();
    my $store = 0;

    if (!$args{plain}) {
        my ($status, $data) = $node->api_get('/api/duplex/node');
        my $zone = $data->{zones}{'duplex:store'};
        $store = ($zone->{capacity} - $zone->{free}) * CHUNK;
    }

    $node->stop();

    return ($kb, $store);
}

my ($plain) = measure(plain => 1);
my ($bare, $bare_store) = measure();
my ($checked, $store) = measure(check => 'health_check interval=10s;');

row(point => "worker, 5000 servers, modules loaded", figure => $bare / 1024,
    unit => 'MB', reference => [ 'plain nginx', $plain / 1024 ],
    goal => 1.05);
row(point => "worker, 5000 servers checked", figure => $checked / 1024,
    unit => 'MB', reference => [ 'plain nginx', $plain / 1024 ],
    goal => 1.10);
row(point => 'private memory of a checked server',
    figure => ($checked - $plain) * 1024 / SERVERS, unit => 'B',
    reference => [ 'allowed', 256 ], goal => 1);
row(point => 'shared memory of a checked server',
    figure => ($store - $bare_store) / SERVERS, unit => 'B',
    reference => [ 'allowed', 512 ], goal => 1);
