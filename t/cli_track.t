#!/usr/bin/perl

# duplexctl track keeps keepalived's file: what it holds when the node is
# ready, leaving, dead, back again, and when nobody watches any more.
# duplexctl events --follow says what changes, and goes on when nginx does.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Directory;
use Duplex::Process;
use Duplex::Test;

no warnings 'qw';


my $pair = Duplex::Pair->new(backends => 1)->start();
my ($one, $two) = $pair->nodes();
my $dir = Duplex::Directory::make('track');
my $server = $pair->backend('b1')->address();

wait_for { $one->peer_state('app', $server) eq 'up' } 10, 'the server';

# track

my $track = run('track', 'track', "$dir/health", '--every=50ms', '--fall=2', '--rise=2');

happens { number() eq '0' } 10, 'ready: 0';
is(ctl(qw/node leave/)->{code}, 0, 'node leave');
happens { number() eq '-60' } 10, 'leaving: -60';
is(ctl(qw/node return/)->{code}, 0, 'node return');
happens { number() eq '0' } 10, 'ready again: 0';

$one->kill9();
$two->expect_log(qr/lost/);
happens { number() eq '-254' } 10, 'dead: -254';

my $events = run('events', 'events', '--follow');

$one->start();
$pair->wait_linked();
happens { number() eq '0' } 10, 'back: 0';

$track->signal('TERM');
ok($track->wait_end(10), 'it ends');
is(number(), '-60', 'nobody watches: -60');

$track = run('track', 'track', "$dir/health", '--on-exit=-7', '--degraded=-5', '--fault=-9');
happens { number() eq '0' } 10, 'other numbers';
$one->stop();
happens { number() eq '-9' } 10, '--fault';
$track->signal('INT');
$track->wait_end(10);
is(number(), '-7', '--on-exit');

# what cannot be

for (
    [ 1, qr/nowhere/, 'track', "$dir/nowhere/health" ],
    [ 64, qr/every/, 'track', "$dir/health", '--every=never' ],
    [ 64, qr/fall/, 'track', "$dir/health", '--fall=0' ],
    [ 64, qr/fault/, 'track', "$dir/health", '--fault=300' ],
    [ 64, qr/./, 'track' ],
) {
    my ($code, $text, @args) = @$_;

    my $r = ctl(@args);
    is($r->{code}, $code, "exit code $code: @args");
    like($r->{err}, $text, "says why: $r->{err}");
}

# events: it could not follow a node that was dead; it goes on over a restart

$events->wait_end(10);
like(text('events'), qr/no node has events to tell|no connection/, 'nobody to follow');

$one->start();
$pair->wait_linked();
$events = run('events', 'events', '--follow');
my $json = run('json', 'events', '-f', '--json');

happens {
    $one->patch_peer('app', $server, { drain => true });
    $one->patch_peer('app', $server, { drain => false });
    text('events') =~ /$server/ && text('json') =~ /^\{"[^\n]*$server/m
} 20, 'what changes is said, also as JSON';

$one->stop();
$one->start();
$pair->wait_linked();

my $seen = length text('events');
happens {
    $one->patch_peer('app', $server, { weight => 1 + int rand 100 });
    substr(text('events'), $seen) =~ /$server/
} 20, 'and goes on when nginx is there again';

$_->signal('TERM') for $events, $json;

my $r = ctl('events');
like($r->{out}, qr/$server/, 'events: what has changed lately');

done_testing();


sub ctl {
    return duplexctl('-n', $one->address('api'), @_);
}


# what it says goes to the file "name"
sub run {
    my ($name, @args) = @_;

    return Duplex::Process->start(name => $name, code => sub {
        $ENV{HOME} = $dir;
        open(STDOUT, '>', "$dir/$name.out");
        open(STDERR, '>&', \*STDOUT);
        exec Duplex::Cli::binary(), '-n', $one->address('api'), @args or die;
    });
}


sub number {
    return text('health', '') =~ /^(-?\d+)\s+$/ ? $1 : '';
}


sub text {
    my ($name, $suffix) = @_;
    open(my $f, '<', "$dir/$name" . ($suffix // '.out')) or return '';
    local $/;
    return <$f> // '';
}
