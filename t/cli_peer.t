#!/usr/bin/perl

# duplexctl shows and changes servers of a pair: tables, JSON, one clear line
# and the right exit code when something is wrong.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 2)->start();
my ($one, $two) = map { $_->address() } $pair->backends();
my @nodes = map { ('--node', 'http://' . $_->address('api') . '/api') }
            $pair->nodes();

my $r = duplexctl(@nodes, 'status');

is($r->{code}, 0, 'status') or diag($r->{err});
like($r->{out}, qr/^NODE +STATE +REASON +LINKS/, 'has headings');
like($r->{out}, qr/^a +ready .* b online/m, 'node a');
like($r->{out}, qr/^b +ready .* a online/m, 'node b');
like($r->{out}, qr/^HTTP +a +b\napp +up: 2 of 2 +up: 2 of 2$/m, 'and the group');
unlike($r->{out}, qr/\033/, 'no colour in a file');

$r = duplexctl(@nodes, 'status', '--color', 'always');
like($r->{out}, qr/\033\[32mready\033\[0m/, 'colour when asked for');

$r = duplexctl(@nodes, qw/--json status/);
my $all = eval { JSON::PP::decode_json($r->{out}) };
is($all->{$nodes[1]}{node}{name}, 'a', 'status for scripts');

$r = duplexctl(@nodes, qw/peer list/);
like($r->{out}, qr/^UPSTREAM +SERVER +STATE/, 'peer list');
like($r->{out}, qr/^http\/app +\Q$one\E +up /m, 'has the server');

$r = duplexctl(@nodes, qw/peer list app --json/);
is(scalar @{JSON::PP::decode_json($r->{out})->{peers}}, 2, 'of one group, JSON');

$r = duplexctl(@nodes, 'peer', 'show', 'app', $one);
like($r->{out}, qr/^server +\Q$one\E\nname +/m, 'peer show');

$r = duplexctl(@nodes, qw/peer explain app/, $one);
is($r->{code}, 0, 'peer explain') or diag($r->{err});
is(() = $r->{out} =~ /^http:/mg, 2, 'in the words of both nodes');
is(duplexctl(@nodes, qw/peer explain app x/)->{code}, 1, 'no such server');

for (
    [ 'drain', 'draining', 'draining' ],
    [ 'undrain', 'up', 'up' ],
    [ 'down', 'down', 'down' ],
    [ 'up', 'up', 'up' ],
) {
    my ($verb, $word, $state) = @$_;

    $r = duplexctl(@nodes, 'peer', $verb, 'app', $one, '-r', 'test & more');
    is($r->{code}, 0, "peer $verb") or diag($r->{err});
    is($r->{out}, "$one $word\n", 'says so');

    for my $node ($pair->nodes()) {
        happens { $node->peer_state('app', $one) eq $state } 5,
            'node ' . $node->name() . ' says so, too';
    }
}

$r = duplexctl(@nodes, qw/peer drain app/, $two, '--wait=10s');
is($r->{code}, 0, 'drains and waits') or diag($r->{err});
like($r->{out}, qr/^\Q$two\E draining\n\Q$two\E drained\n$/, 'to the end');

duplexctl(@nodes, qw/peer undrain http\/app 1/);
happens { $pair->a()->peer_state('app', $two) eq 'up' } 5,
    'by protocol and id';

# the other node does it when the first one is gone

$pair->a()->stop();

$r = duplexctl(@nodes, qw/peer drain app/, $two);
is($r->{code}, 0, 'the second node is asked when the first is gone');
like($r->{err}, qr/^duplexctl: http:\S+: no connection: .*\n$/, 'and it says so');

$r = duplexctl(@nodes, 'status');
is($r->{code}, 0, 'status of one of two');
like($r->{out}, qr/^http:\S+ +unreachable/m, 'shows both');

my @b = @nodes[2, 3];

for (
    [ 1, qr/upstream "nowhere" not found: see/, qw/peer list nowhere/ ],
    [ 1, qr/peer "x" not found in "app": see "duplexctl peer list app"/,
      qw/peer drain app x/ ],
    [ 64, qr/^duplexctl: usage: duplexctl peer list\|show/, 'peer' ],
    [ 64, qr/usage: duplexctl peer drain UPSTREAM SERVER/, qw/peer drain app/ ],
    [ 64, qr/unknown command "pear"/, 'pear' ],
    [ 64, qr/unknown option "--red"/, qw/status --red/ ],
    [ 64, qr/"status" has no option "--reason"/, qw/status --reason x/ ],
    [ 64, qr/option "--node" needs a value/, qw/status --node/ ],
    [ 64, qr/option "--json" takes no value/, qw/status --json=1/ ],
    [ 64, qr/invalid time "5x" of --timeout/, qw/status -t 5x/ ],
    [ 64, qr/invalid value "x" of "weight": must be a number/,
      qw/peer set app x weight=x/ ],
    [ 64, qr/invalid setting "colour=red"/, qw/peer set app x colour=red/ ],
    [ 64, qr/invalid color "red"/, qw/status --color red/ ],
    [ 64, qr/\/nowhere: No such file/, qw/status --config \/nowhere/ ],
    [ 64, qr/unknown check "dead"/, qw/check dead/ ],
) {
    my ($code, $text, @args) = @$_;

    $r = duplexctl(@b, @args);
    is($r->{code}, $code, "exit code $code: @args");
    like($r->{err}, qr/^duplexctl: [^\n]*\n$/, 'one line');
    like($r->{err}, $text, 'that says what is wrong');
}

done_testing();
