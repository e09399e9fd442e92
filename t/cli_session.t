#!/usr/bin/perl

# duplexctl shows, finds, rebinds and drops sessions, reads and writes
# key-values, takes a node out and back, and compares the nodes' files.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 2)->start();
my ($one, $two) = map { $_->address() } $pair->backends();
my @nodes = map { ('-n', $_->address('api')) } $pair->nodes();

my $cookie = $pair->a()->get('/')->{cookies}{sid};
ok($cookie, 'a session');

my $r;
happens { $r = ctl(qw/session find sessions/, $cookie); $r->{code} == 0 } 5,
    'session find' or diag($r->{err});

my ($home) = $r->{out} =~ /^[0-9a-f]+ +(127\S+) /m;
my $other = $home eq $one ? $two : $one;

like(ctl(qw/session list/)->{out}, qr/^sessions +app +\Q$home\E +\d+$/m, 'session list');
like(ctl(qw/session list sessions/)->{out}, qr/^[0-9a-f]+ +\Q$home\E /m, 'of a zone');
like(ctl(qw/session list sessions/, $other)->{out}, qr/^ID .*\n$/, 'of a server');

$r = ctl(qw/session rebind sessions/, $cookie, $other);
is("$r->{code} $r->{out}", "0 $cookie is bound to $other now\n", 'session rebind');
happens { ctl(qw/session find sessions/, $cookie)->{out} =~ /\Q$other\E/ } 5, 'it is';

is(ctl(qw/session drop sessions/)->{code}, 64, 'session drop: which?');
is(ctl(qw/session drop sessions/, $cookie)->{code}, 0, 'session drop');
is(ctl(qw/session find sessions/, $cookie)->{code}, 1, 'it is gone');
is(ctl(qw/session drop sessions --all/)->{code}, 0, 'all of them');
is(ctl(qw/session drop sessions --server/, $one)->{code}, 0, 'those of a server');
is(ctl(qw/session list none/)->{code}, 1, 'no such zone');

# a node leaves and returns

is(duplexctl(@nodes[0, 1], qw/check ready/)->{code}, 0, 'ready');
is(duplexctl(@nodes[0, 1], qw/node leave/)->{code}, 0, 'node leave');
$r = duplexctl(@nodes[0, 1], qw/check ready/);
is($r->{code}, 1, 'not ready');
like($r->{out}, qr/^leaving: /, 'as it leaves');
is(duplexctl(@nodes[0, 1], qw/check live/)->{code}, 0, 'but live');
like(ctl('status')->{out}, qr/^a +leaving /m, 'status says so');
is(duplexctl(@nodes[0, 1], qw/node return/)->{code}, 0, 'node return');
is(duplexctl(@nodes[0, 1], qw/node ready --wait=5s/)->{code}, 0, 'ready again');

# files that differ

$r = ctl(qw/config check/);
is("$r->{code} $r->{out}", "0 no difference\n", 'config check');

(my $conf = $pair->b()->conf()) =~ s/%%SERVERS%%/%%SERVERS%% server 127.0.0.9:1;/;
$pair->b()->configure($conf);
$pair->b()->reload(wait_old => 1);

happens { $r = ctl(qw/config check/); $r->{code} == 1 } 5, 'something differs';
like($r->{out}, qr/^http\/app 127\.0\.0\.9:1 +a +no +b +yes$/m, 'and what');
is(duplexctl(@nodes[0, 1], qw/config check/)->{code}, 64, 'of one node: usage');

# server membership

$r = ctl(qw/peer add app 127.0.0.30:1 weight=3 down/);
is($r->{code}, 0, 'peer add') or diag($r->{err});
like($r->{out}, qr/^127\.0\.0\.30:1 added, id \d+$/, 'says so');
happens { $pair->b()->peers('app')->{'127.0.0.30:1'} } 5, 'the other node has it';
is(ctl(qw/peer set app 127.0.0.30:1 weight=5 max_conns=7/)->{code}, 0, 'peer set');
happens { $pair->b()->peers('app')->{'127.0.0.30:1'}{weight} == 5 } 5, 'there, too';
is(ctl(qw/peer remove app 127.0.0.30:1/)->{code}, 0, 'peer remove');
happens { !$pair->b()->peers('app')->{'127.0.0.30:1'} } 5, 'on both';

done_testing();


sub ctl {
    return duplexctl(@nodes, @_);
}
