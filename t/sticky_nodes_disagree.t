#!/usr/bin/perl

# Two nodes that disagree about the servers of a session do not fight for it
# with every request.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $conf = <<'EOC';
%%MAIN%%
worker_processes 1;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 128k;
        server 127.0.0.21:%%PORT_backend%% %%DOWN1%%;
        server 127.0.0.22:%%PORT_backend%% %%DOWN2%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=sessions:1m sync;
    }

    server {
        listen %%LISTEN_front%%;
        location / { proxy_pass http://app; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api; }
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

my $ports = Duplex::Ports->new();

my @b = map {
    Duplex::Backend->new(name => "b$_", address => "127.0.0.2$_",
                         port => $ports->port('backend'),
                         set => { sessions => 1 })
} 1 .. 2;

my @nodes = map {
    Duplex::Node->new(name => $_->[0], address => $_->[1], ports => $ports,
                      vars => { DOWN1 => '', DOWN2 => '' }, conf => $conf)
} [ 'a', '127.0.0.11' ], [ 'b', '127.0.0.12' ];

$_->start() for @nodes;

sub status {
    my ($node) = @_;
    my ($code, $answer) = api_get($node->address('api'),
                                  '/api/9/stream/zone_sync');
    return $answer;
}

wait_for { status($_)->{status}{nodes_online} == 1 or die for @nodes; 1 } 10,
    'the nodes to find each other';

my $r = $nodes[0]->get('/');
my $cookie = "sid=$r->{cookies}{sid}";
my $home = $r->{headers}{'x-backend'};

wait_for { status($nodes[1])->{zones}{sessions}{records_total} == 1 } 5,
    'the session on the other node';

is(join(' ', map { $nodes[1]->get('/', cookie => $cookie)
                            ->{headers}{'x-backend'} } 1 .. 4),
   "$home $home $home $home", 'the session goes on there');

# each node has the other's server down

$nodes[0]{vars}{DOWN1} = 'down';
$nodes[1]{vars}{DOWN2} = 'down';

for my $node (@nodes) {
    $node->configure($conf);
    $node->reload(wait_old => 1);
}

wait_for { status($_)->{status}{nodes_online} == 1 or die for @nodes; 1 } 10,
    'the nodes to find each other again';

my @before = map { status($_)->{status}{msgs_out} } @nodes;
my $start = time();
my $requests = 0;

while (time() < $start + 3 || $requests < 120) {
    for my $i (0, 1) {
        my $name = $nodes[$i]->get('/', cookie => $cookie)
                             ->{headers}{'x-backend'};
        fail("node $i answers from $name") if $name ne 'b' . (2 - $i);
        $requests++;
    }

    sleep 0.01;
}

my @after = map { status($_)->{status}{msgs_out} } @nodes;
my $sent = $after[0] + $after[1] - $before[0] - $before[1];

my $elapsed = time() - $start;

# eight heartbeats a second, and the session once or twice

cmp_ok($sent, '<', 20 + 12 * $elapsed,
       sprintf 'few messages between the nodes: %d in %.1f s, %d requests',
       $sent, $elapsed, $requests);
cmp_ok($requests, '>', 20 + 4 * $elapsed, 'or one for each would do, too');

done_testing();
