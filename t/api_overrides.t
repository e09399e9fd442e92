#!/usr/bin/perl

# What was said at run time and differs from the file: the page of overrides
# says what, who, when and why; one, those of a server or a group, or all of
# them are dropped, on both nodes, and the file is in force again.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 3, conf => <<'EOC')->start();
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.21:%%PORT_backend%% weight=2;
        server 127.0.0.22:%%PORT_backend%%;
        server 127.0.0.23:%%PORT_backend%%;
    }

    server {
        listen %%LISTEN_front%%;
        location / { proxy_pass http://app; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
        location /readonly { api; }
    }
}

stream {
    upstream app {
        zone stream_app 256k;
        server 127.0.0.21:%%PORT_backend%%;
    }

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my ($node, $other) = $pair->nodes();
my @at = map { $_->address() } $pair->backends();
my $servers = '/api/9/http/upstreams/app/servers';

is_deeply(overrides($node), [], 'nothing differs from the file');

call(PATCH => "$servers/0?reason=too%20slow", { weight => 5 });
call(PATCH => "$servers/1?reason=new%0Akernel", { down => true });
call(PATCH => "$servers/1", { fail_timeout => '20s', slow_start => '1500ms' });
call(DELETE => "$servers/2?reason=broken");
call(POST => $servers, { server => '127.0.0.29:1', weight => 3 });
call(PATCH => '/api/9/stream/upstreams/app/servers/0', { max_conns => 7 });

my @all = @{overrides($node)};

is_deeply([ map { "$_->{protocol} $_->{upstream} $_->{id} $_->{field} "
                  . "$_->{file} $_->{value}" } @all ],
          [ 'http app 0 weight 2 5',
            'http app 1 fail_timeout 10s 20s',
            'http app 1 slow_start 0s 1500ms',
            'http app 1 state up down',
            'http app 2 server present absent',
            'http app 3 server absent present',
            'stream app 0 max_conns 0 7' ], 'all that differ');

is($all[0]{reason}, 'too slow', 'why');
is($all[4]{reason}, 'broken', 'why');
is($all[0]{who}, '127.0.0.1', 'who') or diag(explain(\@all));
like($all[0]{since}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'when');
is($all[0]{server}, $at[0], 'which');
is((grep { $_->{superseded} } @all), 0, 'all in force');

$_->wait_log(qr/"\Q$at[1]\E" .* is now down: administrator \(new kernel\)$/, 5)
    for $node, $other;
happens { @{overrides($other)} == @all } 5, 'the other node shows the same';

is(scalar @{overrides($node, '/http')}, 6, 'of a protocol');
is(scalar @{overrides($node, '/http/app')}, 6, 'of a group');
is(scalar @{overrides($node, '/http/app/1')}, 3, 'of a server, by id');
is(scalar @{overrides($node, "/http/app/$at[1]")}, 3, 'and by address');
is(scalar @{overrides($node, '/http/app/1/state')}, 1, 'one');
is(scalar @{overrides($node, '/http/app/2/state')}, 0, 'none');

# what is not there, and what may not be

for my $case ([ GET => '/udp', '404 PathNotFound' ],
              [ GET => '/http/none', '404 UpstreamNotFound' ],
              [ DELETE => '/http/none', '404 UpstreamNotFound' ],
              [ DELETE => '/http/app/0/state', '404 OverrideNotFound' ],
              [ POST => '', '405 MethodDisabled' ])
{
    my ($method, $path, $expected) = @$case;
    my ($status, $data) = api_call($node->address('api'), $method,
                                   "/api/duplex/overrides$path",
                                   $method eq 'POST' ? {} : ());
    is("$status $data->{error}{code}", $expected, "$method $path");
}

my ($status) = api_call($node->address('api'), 'DELETE',
                        '/readonly/duplex/overrides');
is($status, 405, 'without "write=on" nothing is dropped');

# one, a server's, a removed server of the file, and all

is(dropped($node, '/http/app/1/state'), 1, 'one is dropped');
is($node->peer_state('app', $at[1]), 'up', 'and in force at once');
happens { $other->peer_state('app', $at[1]) eq 'up' } 5, 'on both nodes';

is(dropped($node, '/http/app/1'), 2, 'the others of the server');
is(server(1)->{fail_timeout} . server(1)->{slow_start}, '10s0s', 'in force');

is(dropped($node, "/http/app/$at[2]"), 1, 'a server that was removed');
is($node->peer_state('app', $at[2]), 'up', 'is there again');
is($node->peers('app')->{$at[2]}{id}, 2, 'under its id');
happens { $other->peers('app')->{$at[2]} } 5, 'on both nodes';

# a line that was changed: kept, not applied, and shown

my $conf = $node->conf();
my $changed = $conf;
$changed =~ s/weight=2;/weight=4;/;

$node->configure($changed);
$node->reload(wait_old => 1);
is(overrides($node, '/http/app/0')->[0]{superseded}, true,
   'said against another line');
is(server(0)->{weight}, 4, 'the line counts');
$node->configure($conf);
$node->reload(wait_old => 1);
is(server(0)->{weight}, 5, 'the old line, and it counts again');

is(dropped($node, ''), 3, 'all that are left');
is_deeply(overrides($node), [], 'nothing differs from the file');
is(server(0)->{weight}, 2, 'the weight of the file');
is_deeply([ sort keys %{$node->peers('app')} ], [ sort @at ],
          'and its servers');
is(dropped($node, ''), 0, 'nothing to drop');
happens { !@{overrides($other)} && keys %{$other->peers('app')} == 3 } 5,
    'so on both nodes';

# what was dropped does not come back

$node->reload(wait_old => 1);
is_deeply(overrides($node), [], 'nor after a reload');

done_testing();


sub overrides {
    my ($node, $path) = @_;

    my ($status, $data) = $node->api_get('/api/duplex/overrides'
                                         . ($path // ''));

    return [ sort { "$a->{protocol} $a->{id} $a->{field}"
                    cmp "$b->{protocol} $b->{id} $b->{field}" } @$data ];
}

sub dropped {
    my ($node, $path) = @_;
    my ($status, $data) = api_call($node->address('api'), 'DELETE',
                                   "/api/duplex/overrides$path");
    return $data->{dropped};
}

sub server { return ($node->api_get("$servers/$_[0]"))[1] }

sub call {
    my ($method, @args) = @_;
    my ($status, $data) = api_call($node->address('api'), $method, @args);
    like($status, qr/^20[01]$/, "$method $args[0]");
}
