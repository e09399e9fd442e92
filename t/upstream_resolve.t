#!/usr/bin/perl

# Servers that are named: their addresses come and go as the name says, in
# http and in stream; what name servers do not know changes nothing, and a
# reload or a restart finds those that were there.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Names;
use Duplex::Test;


my $names = Duplex::Names->new();
my $ports = Duplex::Ports->new();
my $port = Duplex::Ports::take();

my %backend = map {
    $_ => Duplex::Backend->new(name => "b$_", address => "127.0.0.2$_",
                               port => $port, set => { body => "b$_" })
} 1 .. 4;

my %address = map { $_ => $backend{$_}->address() } keys %backend;

my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_store %%PREFIX%%/store;

events {
}

http {
    %%HTTP%%

    resolver %%NAMES%% valid=1s;
    resolver_timeout 2s;

    upstream app {
        zone app 256k;
        server App.example:%%BE%% resolve max_fails=3 weight=2;
        server %%FIXED%% backup;
    }

    upstream service {
        zone service 256k;
        resolver %%NAMES%% valid=1s;
        resolver_timeout 1s;
        server example service=http resolve;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
        }

        location /service {
            proxy_pass http://service;
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
    resolver %%NAMES%% valid=1s;
    resolver_timeout 2s;

    upstream app {
        zone stream_app 256k;
        server app.example:%%BE%% resolve;
        server other.example:%%BE%% resolve down;
    }

    server {
        listen %%LISTEN_stream%%;
        proxy_pass app;
    }
}
EOC

my $node = Duplex::Node->new(
    name => 'a', ports => $ports, conf => $CONF,
    vars => { NAMES => $names->address(), BE => $port,
              FIXED => $address{4} });

# "up b1, down b2" of a group
sub members {
    my ($upstream) = @_;

    my $peers = $node->peers($upstream);
    my %number = reverse %address;

    return join ', ', sort map {
        "b$number{$_->{server}}" . ($_->{backup} ? ' backup' : '')
        . ($_->{state} eq 'up' ? '' : " $_->{state}")
    } values %$peers;
}

$node->expect_log(qr/could not be resolved/);
$node->expect_log(qr/no live upstreams/);

# no name exists yet

$node->start();
$node->wait_log(qr/App\.example:\d+ of upstream "app" could not be resolved \(3: Host not found\)/, 5);

is(members('app'), 'b4 backup', 'only the server with an address');
is($node->get('/')->{body}, 'b4', 'which serves');
is(members('stream/app'), '', 'no server of stream');

# they come

$names->set('app.example', '127.0.0.21', '127.0.0.22');

happens { members('app') eq 'b1, b2, b4 backup' } 8, 'both addresses';
happens { members('stream/app') eq 'b1, b2' } 8, 'in stream, too';

my %seen = map { $node->get('/')->{body} => 1 } 1 .. 20;
is_deeply([ sort keys %seen ], [ qw/b1 b2/ ], 'both serve');

is($node->get('/', listen => 'stream')->{status}, 200, 'stream serves');

my $peer = $node->peers('app')->{$address{1}};
is($peer->{name}, "App.example:$port", 'the name is as written');
is($peer->{weight}, 2, 'and the line counts');

my $path = "/api/9/http/upstreams/app/servers/$peer->{id}";
my ($status, $server) = $node->api_get($path);

is($server->{host}, 'app.example', 'the API has the host');
is($server->{server}, $address{1}, '... and the address');
is($server->{max_fails}, 3, '... and what the line says');

is_deeply([ $node->api_patch($path, $server) ], [ 200, $server ],
          'what was shown may be sent back');

# an address is the name's own matter

my $api = $node->address('api');

is((api_patch($api, $path, { server => '127.0.0.9:1' }))[1]{error}{code},
   'UpstreamServerImmutable', 'its address cannot be changed');
is((api_call($api, 'DELETE', $path))[1]{error}{code}, 'UpstreamServerImmutable',
   'nor can it be removed');

# but the administrator's word counts, over reload and restart

$node->patch_peer('app', $address{1}, { down => true });
happens { members('app') eq 'b1 down, b2, b4 backup' } 3, 'down';

my $id = $node->peers('app')->{$address{2}}{id};

$names->set('app.example', 'silent');
$node->reload(wait_old => 1);
is(members('app'), 'b1 down, b2, b4 backup', 'a reload keeps all');

$node->stop();
$node->start();
is(members('app'), 'b1 down, b2, b4 backup', 'so does a restart');
is($node->peers('app')->{$address{2}}{id}, $id, 'with their ids');

# name servers that fail change nothing

$names->set('app.example', 'servfail');
$node->wait_log(qr/App\.example.*could not be resolved \(2: Server failure\)/,
                40);
is(members('app'), 'b1 down, b2, b4 backup', 'failing name servers');

# they go

$names->set('app.example', '127.0.0.22', '127.0.0.23');
happens { members('app') eq 'b2, b3, b4 backup' } 40, 'another address';
is($node->peers('app')->{$address{2}}{id}, $id, 'the one that stays');

$names->set('app.example', '127.0.0.21', '127.0.0.22');
happens { members('app') eq 'b1 down, b2, b4 backup' } 8,
    'an address that comes back is still down';
$node->patch_peer('app', $address{1}, { down => false });

# of two names with one address the first has it

$names->set('other.example', '127.0.0.21', '127.0.0.23');
happens { members('stream/app') eq 'b1, b2, b3 down' } 8, 'two names';

$names->set('app.example', 'nxdomain');
happens { members('app') eq 'b4 backup' } 8, 'a name that is gone';
happens { members('stream/app') eq 'b1 down, b3 down' } 8,
    'its address is the other one\'s';

# services

$names->set("be$_.example", "127.0.0.2$_") for 1 .. 3;
$names->set('_http._tcp.example', "be1.example $port 10 3",
            "be2.example $port 10 0", "be3.example $port 20 1");

happens { members('service') eq 'b1, b2, b3 backup' } 10,
    'priorities of a service';

my $peers = $node->peers('service');

is($peers->{$address{1}}{weight}, 3, 'weights of a service');
is($peers->{$address{2}}{weight}, 1, 'at least 1');
is($peers->{$address{1}}{service}, 'http', 'the service is shown');
is($peers->{$address{1}}{name}, 'example', 'and the name');

is((api_patch($api, "/api/9/http/upstreams/service/servers/"
                    . $peers->{$address{1}}{id}, { weight => 5 }))[1]
   {error}{code}, 'UpstreamServerWeightImmutable', 'its weight is its own');

$names->set('_http._tcp.example', "be3.example $port 20 7");

happens { members('service') eq 'b3' } 10, 'a backup becomes a primary';
is($node->get('/service')->{body}, 'b3', 'and serves');

# a name that leaves the file takes its addresses with it

$node->configure($CONF =~ s/server App\.example\S+ resolve max.*\n//r);
$node->reload(wait_old => 1);
is(members('app'), 'b4 backup', 'a name that left the file');

# a chain of workers: who takes over the lease goes on asking

$node->configure($CONF);
$node->reload(wait_old => 1);
$node->kill9_worker($_) for ($node->workers())[0];
$names->set('app.example', '127.0.0.23');
happens { members('app') eq 'b3, b4 backup' } 10, 'a worker was killed';

# a group without shared memory

my ($ok, $text) = $node->test_config(
    $CONF =~ s{zone service 256k;}{}r);
ok(!$ok, '"resolve" without "zone" is refused');
like($text, qr/resolving names at run time requires upstream "service" in \S+:\d+ to be in shared memory/,
     '... with the reason');

done_testing();
