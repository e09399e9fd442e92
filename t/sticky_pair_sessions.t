#!/usr/bin/perl

# Sessions that were made through one node are known through the other: none
# is served by a wrong server, also when a server has failed (only its
# sessions move), after reloads, after a restart of one node and of both.
#
# STICKY_SESSIONS=1000000 is the long run; 2000 otherwise.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Sessions;
use Duplex::Test;


my $n = $ENV{STICKY_SESSIONS} || 2000;

# what may take as long as there are sessions
my $patience = 10 + $n / 5000;

my @servers = map {
    Duplex::Node->new(name => "server$_", address => "127.0.0.2$_",
                      log_level => 'error', conf => Duplex::Sessions::conf($_))
                ->start()
} 1 .. 3;

my $pair = Duplex::Pair->new(
    backends => 0,
    vars => {
        servers => join("\n", map { 'server ' . $_->address('back')
                                    . ' max_fails=1 fail_timeout=1s;' }
                        @servers),
        size => $n > 20000 ? int($n / 20000) . 'm' : '1m',
    },
    conf => <<'EOC')->start();
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
    worker_connections 1024;
}

http {
    %%HTTP%%

    keepalive_requests 1000000000;

    upstream app {
        zone app 1m;
        %%servers%%
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:%%size%% timeout=10h sync;
        keepalive 64;
        keepalive_requests 1000000000;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            health_check interval=200ms;
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
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my ($one, $two) = $pair->nodes();
my $sessions = Duplex::Sessions->new(sessions => $n);
my %is;

# the servers are up for both, so that nothing moves for another reason

for my $node ($one, $two) {
    wait_for { 3 == grep { $_->{state} eq 'up' } values %{$node->peers('app')} }
        20, 'the servers to be up';
}

ask($one, 'made through one node', undef, new => $n);
cmp_ok($is{"on$_"}, '>', $n / 4, "server $_ has its share") for 1 .. 3;

settle();
is($_->api_get('/api/duplex/sessions')->{sessions}{sessions}, $n,
   'all of them are in the table of ' . $_->name()) for $one, $two;

ask($two, 'through the other node');

# a server fails

my $two_had = $is{on2};

$servers[1]->stop();

for my $node ($one, $two) {
    wait_for { $node->peer_state('app', $servers[1]->address('back'))
               eq 'unhealthy' } 20, 'the failed server to be noticed';
}

# what the other node has decided stands for a second (docs/store.md)
sleep 1;

ask($two, 'a server fails', 2, moved => $two_had);
is($is{on2}, 0, 'nobody is there');
settle();
ask($one, 'the same through the other node');

$servers[1]->start();

for my $node ($one, $two) {
    wait_for { $node->peer_state('app', $servers[1]->address('back'))
               eq 'up' } 20, 'the server to be back';
}

ask($two, 'it is back, and nobody goes there again');

# reloads of both; an old worker closes a connection after the request that is under way

$one->reload(wait_old => 1);
$two->reload(wait_old => 1);
$pair->wait_linked();

ask($one, 'after a reload of both');
ask($two, 'and through the other one');

# a restart of one

$one->stop();
$one->start();
settle();

ask($one, 'after a restart of one');

# of both

$_->stop() for $one, $two;
$_->start() for $one, $two;
settle();

ask($two, 'after both were stopped and started');
ask($one, 'and through the other one');

done_testing();


sub ask {
    my ($node, $what, $move, %expected) = @_;

    my $began = time();
    %is = %{$sessions->ask($node->address('front'), $move)};

    my %should = (asked => $n, failed => 0, wrong => 0, new => 0, moved => 0,
                  %expected);

    is_deeply({ map { $_ => $is{$_} } keys %should }, \%should,
              sprintf '%s: %d of %d on a wrong server, in %.1f s', $what,
              $is{wrong}, $is{asked}, time() - $began)
        or diag(join ', ', map { "$_ $is{$_}" } sort keys %is);
}


# all that a node knows is known to the other one
sub settle {
    my $began = time();

    wait_for { $pair->is_shipped($one) && $pair->is_shipped($two) }
        $patience, 'the nodes to be of one mind';
    note(sprintf 'of one mind after %.2f s', time() - $began);
}
