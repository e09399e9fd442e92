#!/usr/bin/perl

# A listener that is neither loopback nor a unix socket serves the listed
# addresses only; a unix socket links nodes, too.
#
# Runs in a network namespace of its own, where it may have addresses.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Ports;
use Duplex::Test;


my @ADDRESSES = map { "10.99.0.$_" } 1 .. 3;

if (!$ENV{DUPLEX_NAMESPACE}) {
    my $setup = join ' && ', 'ip link set lo up',
                map { "ip addr add $_/32 dev lo" } @ADDRESSES;

    if (system("unshare -n sh -c '$setup' >/dev/null 2>&1") != 0) {
        plan(skip_all => 'needs root and iproute2: a network namespace');
    }

    $ENV{DUPLEX_NAMESPACE} = 1;
    exec 'unshare', '-n', 'sh', '-c', "$setup && exec \"\$0\" \"\$@\"",
         $^X, $0 or die "unshare: $!\n";
}


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    server {
        listen 127.0.0.1:%%PORT_api%%;

        location /api/ {
            api;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        listen unix:%%PREFIX%%/sync.sock;
        zone_sync;
        zone_sync_server %%OTHER%%;
    }
}
EOC

my $ports = Duplex::Ports->new();
my $api = '127.0.0.1:' . $ports->port('api');

my $node = Duplex::Node->new(
    name => 'a', address => $ADDRESSES[0], ports => $ports, conf => $CONF,
    vars => { OTHER => "$ADDRESSES[1]:%%PORT_sync%%" },
)->start();

my $mark = $node->mark();
my $sync = $node->address('sync');

# the stranger is closed before he has said a word, the listed one waited for

my %took;

for my $from (@ADDRESSES[1, 2]) {
    my $start = time();
    my ($answer, $closed) = raw($sync, '', from => $from, timeout => 3);

    ok($closed && $answer eq '', "$from was closed without a word");
    $took{$from} = time() - $start;
}

cmp_ok($took{$ADDRESSES[1]}, '>', 0.9, 'the listed address had its time');
cmp_ok($took{$ADDRESSES[2]}, '<', 0.9, 'the other one had none');

is(scalar $node->grep_log(qr/\Q$ADDRESSES[2]\E .*not in the list/, $mark), 1,
   'the log says why');

# a second node, over the first one's unix socket and nothing else

my $other = Duplex::Node->new(
    name => 'b', address => $ADDRESSES[2], conf => $CONF,
    vars => { OTHER => 'unix:' . $node->prefix() . '/sync.sock' },
)->start();

happens { nodes('127.0.0.1:' . $other->port('api'))->[0]{state} eq 'online' } 5,
    'linked over a unix socket';

my ($b) = grep { $_->{name} && $_->{name} eq 'b' } @{nodes($api)};

is($b->{state}, 'not listed', 'who is not listed is shown as such');
is($b->{in}{state}, 'online', 'and is linked');

done_testing();


sub nodes {
    my ($address) = @_;

    my ($status, $nodes) = api_get($address, '/api/9/duplex/nodes');
    return $nodes;
}
