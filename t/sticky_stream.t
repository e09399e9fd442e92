#!/usr/bin/perl

# "sticky" of stream: a client's address, or a variable, leads to the server
# it went to the last time, until that cannot serve; the other node knows.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 3, conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;
        location /api/ { api write=on; }
    }
}

stream {
    upstream source {
        zone source 64k;
        server 127.0.0.21:%%PORT_backend%% fail_timeout=1s;
        server 127.0.0.22:%%PORT_backend%% fail_timeout=1s;
        server 127.0.0.23:%%PORT_backend%% fail_timeout=1s;
        sticky learn zone=source_sessions:64k timeout=1h sync;
    }

    upstream key {
        zone key 64k;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%%;
        sticky learn lookup=$ssl_preread_server_name lookup=$server_port
               zone=key_sessions:64k;
        least_conn;
    }

    upstream strict {
        zone strict 64k;
        server 127.0.0.21:%%PORT_backend%% fail_timeout=1s;
        server 127.0.0.22:%%PORT_backend%% fail_timeout=1s;
        sticky learn zone=strict_sessions:64k strict;
    }

    server { listen %%LISTEN_source%%; proxy_pass source; }
    server { listen %%LISTEN_key%%; proxy_pass key; }
    server { listen %%LISTEN_strict%%; proxy_pass strict; }

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

$pair->start();
my ($a, $b) = $pair->nodes();

sub ask {
    my ($node, $listen, $from, $n) = @_;

    return join ' ', map {
        get($node->address($listen), '/', from => "127.0.1.$from")
            ->{headers}{'x-backend'} // '-'
    } 1 .. ($n || 3);
}


# by address

my %at = map { $_ => ask($a, 'source', $_, 1) } 1 .. 6;

is(join(' ', sort values %at), 'b1 b1 b2 b2 b3 b3', 'new clients are balanced');
is(join(' ', map { ask($a, 'source', $_) } 1 .. 6),
   join(' ', map { ($at{$_}) x 3 } 1 .. 6), 'and stay where they are');

happens { $pair->is_shipped($a) } 5, 'the other node is told';
is(join(' ', map { ask($b, 'source', $_, 1) } 1 .. 6),
   join(' ', map { $at{$_} } 1 .. 6), 'they go there from the other node');

$a->reload(wait_old => 1);
is(join(' ', map { ask($a, 'source', $_, 1) } 1 .. 6),
   join(' ', map { $at{$_} } 1 .. 6), 'a reload changes nothing');

# its server fails

$pair->backend('b1')->refuse();

my ($one) = grep { $at{$_} eq 'b1' } 1 .. 6;
my $now = ask($a, 'source', $one, 1);

like($now, qr/b[23]/, 'another server');
is(ask($a, 'source', $one), "$now $now $now", 'and there it stays');

$pair->backend('b1')->accept();
happens { ask($a, 'source', 100 + int rand 100, 6) =~ /b1/ } 5, 'b1 is back';
is(ask($a, 'source', $one), "$now $now $now", 'it still stays');

# an administrator's word counts

my ($other) = grep { $at{$_} eq 'b2' } 1 .. 6;
my (undef, $servers) = $a->api_get('/api/9/stream/upstreams/source/servers');
my ($id) = map { $_->{id} } grep { $_->{server} =~ /^127\.0\.0\.22:/ } @$servers;

$a->api_patch("/api/9/stream/upstreams/source/servers/$id", { down => \1 });
unlike(ask($a, 'source', $other), qr/b2/, 'a server that is down is not used');

# by a variable: all clients of one port

my $all = ask($a, 'key', 1, 1);
is(join(' ', map { ask($a, 'key', $_, 2) } 2 .. 5), join(' ', ($all) x 8),
   'by a variable');

# strict

my $here = ask($a, 'strict', 1, 1);
$pair->backend($here)->refuse();
is(ask($a, 'strict', 1), '- - -', 'strict: no other server');
isnt(ask($a, 'strict', 2, 1), $here, 'others are served');
$pair->backend($here)->accept();
happens { ask($a, 'strict', 1, 1) eq $here } 5, 'it is back';

# the API

my (undef, $tables) = api_call($a->address('api'), 'GET',
                               '/api/duplex/sessions');
my $table = $tables->{source_sessions};

is("$table->{protocol} $table->{upstream}", 'stream source', 'in the API');
cmp_ok($table->{sessions}, '>=', 6, 'with its sessions');

is((api_call($a->address('api'), 'DELETE',
             '/api/duplex/sessions/strict_sessions?value=127.0.1.1'))[0],
   204, 'one is ended by its address');

$a->expect_log(qr/the server of this session is not available/);

done_testing();
