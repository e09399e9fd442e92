#!/usr/bin/perl

# A node that says nothing any more is shown as down within 1.2 seconds and
# one beat, one that dies at once; when it goes on, so does the link, and
# what was missed arrives.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 1)->start();
my ($a, $b) = $pair->nodes();

my $address = $pair->backend('b1')->address();
my $mark = $a->mark();
my $start = time();

kill('STOP', -$b->pid());

happens { node()->{state} ne 'online' } 5, 'a silent node is not online';
my $out = time() - $start;

happens { node()->{in}{state} eq 'down' } 5, 'its own link is down';
my $in = time() - $start;

diag(sprintf 'silence was noticed after %.0f and %.0f ms',
     1000 * $out, 1000 * $in);

cmp_ok($_, '<', 1.7, 'noticed in time') for $out, $in;

like($a->wait_log(qr/is lost/, 3, $mark),
     qr/node "b" at \S+ is lost: nothing heard for 1000ms$/, 'said once');

cmp_ok(node()->{last_seen_ms}, '>=', 900, 'last seen');

$a->patch_peer('app', $address, { down => true });

cmp_ok(node()->{pending}, '>=', 1, 'the change is pending');

kill('CONT', -$b->pid());

$pair->wait_linked();
is($b->peer_state('app', $address), 'down', 'the change has arrived');

my @lines = $a->grep_log(qr/is lost|is online/, $mark);
is(@lines, 2, 'lost and found, a line each') or diag(join "\n", @lines);

# death is noticed at once

$mark = $a->mark();
$start = time();
$b->kill9();

happens { node()->{state} eq 'down' && node()->{in}{state} eq 'down' } 3,
    'a dead node is down';
cmp_ok(time() - $start, '<', 0.7, 'noticed at once');

# what had not been read yet makes the kernel reset the link
like($a->wait_log(qr/is lost/, 3, $mark),
     qr/: (?:.*Connection refused|connection failed)$/, 'with the reason');

done_testing();


sub node {
    my ($status, $nodes) = $a->api_get('/api/9/duplex/nodes');
    return $nodes->[0];
}
