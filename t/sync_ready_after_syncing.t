#!/usr/bin/perl

# A node that returns says "syncing" from the first word of the other one, not
# from the next beat on, and "ready" when it has been told everything.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 1)->start();
my ($a, $b) = $pair->nodes();

# enough to be told, for a while

my $request = "GET / HTTP/1.1\r\nHost: b\r\n";

for (1 .. 8) {
    raw($b->address('front'), "$request\r\n" x 249
                              . "${request}Connection: close\r\n\r\n");
}

is($pair->backend('b1')->count(uri => qr{^/$}), 2000, '2000 sessions');

$a->kill9();
my $mark = $a->mark();
$a->start();

my $line = $a->wait_log(qr/node "a" is ready after/, 10, $mark);
like($line, qr/: synchronised$/, 'ready when synchronised');

# the log's order is the order of things

my ($syncing) = $a->grep_log(qr/node "a" is syncing after/, $mark);
my ($ms) = ($syncing // '') =~ /after (\d+)ms/;

cmp_ok($ms // 1e6, '<', 200, 'syncing at once') or diag($a->log($mark));

my ($status, $zones) = $a->api_get('/api/9/stream/zone_sync');
is($zones->{zones}{sessions}{records_total}, 2000, 'all sessions are here');

done_testing();
