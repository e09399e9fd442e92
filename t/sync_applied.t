#!/usr/bin/perl

# The answer to a change says which nodes have it, and is held until all
# connected ones do, for as long as the client wants.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 1)->start();
my ($a, $b) = $pair->nodes();
my $backend = ($pair->backends())[0]->address();

# both, at once

my $n = 0;

for my $node ($a, $b) {
    my $other = $node == $a ? $b : $a;

    for (1 .. 5) {
        my $start = time();
        my $r = change($node, ++$n % 2);
        my $took = time() - $start;

        is($r->{status}, 200, 'changed');
        is(nodes($r, 'applied'), 'a b', 'both have it');
        is(nodes($r, 'pending'), '', 'nobody lacks it');

        my $body = JSON::PP::decode_json($r->{body});
        is(join(' ', sort @{$body->{applied}}), 'a b', 'the body says it, too');
        is_deeply($body->{pending}, [], 'and who lacks it');
        is($other->peer_state('app', $backend), $n % 2 ? 'down' : 'up',
           'it is in force there');
    }
}

my $r = change($a, 1, 'wait=none');
like(nodes($r, 'applied'), qr/^a/, 'without waiting');

# the other one does not answer

kill('STOP', $_) for $b->workers();

my $start = time();
$r = change($a, 0);
my $took = time() - $start;

is("$r->{status} " . nodes($r, 'applied') . ' - ' . nodes($r, 'pending'),
   '200 a - b', 'a node that does not answer is said to lack it');
cmp_ok($took, '>', 0.09, 'it is waited for');
cmp_ok($took, '<', 0.9 * $Duplex::Wait::slow, 'for a while');

$start = time();
$r = change($a, 1, 'wait=none');
cmp_ok(time() - $start, '<', 0.09 * $Duplex::Wait::slow,
       'wait=none does not');

$start = time();
$r = change($a, 0, 'wait=400');
cmp_ok(time() - $start, '>', 0.39, 'wait=400 does for 400 ms');

# it is given up after a second: then nobody waits for it

my $child = Duplex::Process->start(name => 'wait=all', code => sub {
    my $r = change($a, 1, 'wait=all');
    $a->write_file('answer', $r->{status} . ' ' . nodes($r, 'applied')
                             . ' - ' . nodes($r, 'pending'));
});

happens { -s $a->prefix() . '/answer' } 5,
    'wait=all ends when the node is no longer connected';
open(my $f, '<', $a->prefix() . '/answer') or die;
is(scalar <$f>, '200 a - b', 'and says who lacks it');

$start = time();
$r = change($a, 0);
cmp_ok(time() - $start, '<', 0.09 * $Duplex::Wait::slow,
       'who is not connected is not waited for');

kill('CONT', $_) for $b->workers();
happens { $b->peer_state('app', $backend) eq 'up' } 5,
    'it gets everything when it is back';

$pair->wait_linked();
is(nodes(change($a, 1), 'applied'), 'a b', 'both again');

# values that are none

for my $value ('x', '-1', '30001', '') {
    $r = change($a, 0, "wait=$value");
    is($r->{status}, 400, "wait=$value is refused");
    like($r->{body}, qr/"WaitFormatError"/, 'says so');
}

is($a->peer_state('app', $backend), 'down', 'and nothing was changed');

# a waiting request whose worker is told to go is answered

kill('STOP', $_) for $b->workers();

$child = Duplex::Process->start(name => 'reload', code => sub {
    my $r = change($a, 0, 'wait=900');
    $a->write_file('reload', $r->{status});
});

sleep 0.1;
$a->reload(wait_old => 1);
kill('CONT', $_) for $b->workers();

happens { -s $a->prefix() . '/reload' } 5, 'answered over a reload';
open($f, '<', $a->prefix() . '/reload') or die;
is(scalar <$f>, '200', 'with success');

done_testing();


sub change {
    my ($node, $down, $args) = @_;

    my $path = $node->upstream_path('app') . '/servers/0';
    $path .= "?$args" if defined $args;

    return request($node->address('api'), 'PATCH', $path,
                   body => $down ? '{"down":true}' : '{"down":false}');
}


# the names in a header, sorted
sub nodes {
    my ($r, $name) = @_;

    my $value = $r->{headers}{"x-duplex-$name"};
    return defined $value ? join ' ', sort split /, /, $value : '';
}
