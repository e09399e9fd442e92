#!/usr/bin/perl

# duplexctl starts, shows and steers deployments, and sets weights of splits.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Deploy;
use Duplex::Test;

no warnings 'qw';


my $pair = Duplex::Deploy::pair();
my ($one, $two) = $pair->nodes();
my @nodes = map { ('--node', 'http://' . $_->address('api') . '/api') } $one, $two;

my $r = ctl(qw/split list/);
like($r->{out}, qr/^SPLIT +COLOUR +UPSTREAM +WEIGHT/, 'split list');
like($r->{out}, qr/^app +green +app_green +0% +0% /m, 'has weights');

$r = ctl(qw/split set app green=12.34 -r/, 'a try');
is($r->{code}, 0, 'split set') or diag($r->{err});
like($r->{out}, qr/^app +blue +app_blue +87\.66% +100% /m, 'to 0.01 %');
happens { Duplex::Deploy::weights($two)->{green} == 12.34 } 5, 'on both nodes';

$r = ctl(qw/deploy status/);
is("$r->{code} $r->{out}", "0 there has been no deployment\n", 'deploy status: none');

$r = ctl(qw/deploy start app --to=green --steps=50,100 --every=300ms --wait/);
is($r->{code}, 0, 'deploy start --wait') or diag($r->{err});
like($r->{out}, qr/^app to green: done, step 2 of 2 \(blue 0%, green 100%\)$/m,
     'to the end');
like($r->{out}, qr/^a +2 +2 +\d+ +\d+ /m, 'with the nodes');

$r = ctl(qw/deploy rollback app -r/, 'as a test');
is($r->{code}, 0, 'deploy rollback, of one that is done');
like($r->{out}, qr/^app to green: rolled back, .* \(blue 87\.66%, green 12\.34%\): .*as a test/m,
     'to what it was');

$r = ctl(qw/deploy start app --to green --steps 20,100 --every 1m/);
like($r->{out}, qr/^deployment of "app" to "green" started/, 'deploy start');
happens { ctl(qw/deploy status app/)->{out} =~ /running, step 1 of 2 \(blue 80%, green 20%\), next in/ }
    10, 'deploy status: step 1';

$r = ctl(qw/deploy start app --to green/);
is($r->{code}, 1, 'a second one is refused');
like($r->{err}, qr/in progress \(DeploymentInProgress\)$/, 'and why');

like(ctl(qw/deploy pause app -r lunch/)->{out}, qr/: paused, step 1 .*lunch/, 'deploy pause');
like(ctl(qw/deploy resume app/)->{out}, qr/: running, step 1/, 'deploy resume');
like(ctl(qw/deploy promote app/)->{out}, qr/: running, step 1/, 'deploy promote');
happens { ctl(qw/deploy status --json/)->{out} =~ /"step": 2/ } 10, 'is at step 2';

$pair->backend('b3')->set_for('/health', status => 500);
ctl(qw/deploy rollback app/);
ctl(qw/split set app green=0/);

$r = ctl(qw/deploy start app --to=green --every=1m --gate=healthy>=2 --wait=2s/);
is($r->{code}, 4, 'a gate that does not hold at first: not in time');
like($r->{err}, qr/still running: it goes on$/, 'and it goes on');
like(ctl(qw/deploy status app/)->{out}, qr/ healthy>=2 failed: 1 healthy$/m,
     'deploy status says what it waits for');
ctl(qw/deploy rollback app/);

$r = ctl(qw/deploy history app/);
is(() = $r->{out} =~ /^\d{4}-.* rolled back /mg, 3, 'deploy history')
    or diag($r->{out});

$r = ctl(qw/events/);
like($r->{out}, qr/^\d{4}-\S+  deployment +app: to "green" is now rolled back/m, 'events');

for (
    [ 64, qr/--to=COLOUR is missing/, qw/deploy start app/ ],
    [ 64, qr/invalid steps "5,1"/, qw/deploy start app --to green --steps 5,1/ ],
    [ 64, qr/invalid steps "x"/, qw/deploy start app --to green --steps x/ ],
    [ 64, qr/invalid value "x" of --min-requests/,
      qw/deploy start app --to green --min-requests x/ ],
    [ 64, qr/invalid weight "green"/, qw/split set app green/ ],
    [ 1, qr/split "none" not found \(SplitNotFound\)/, qw/deploy start none --to x/ ],
    [ 1, qr/"gate" must be made of/, qw/deploy start app --to green --gate fast/ ],
    [ 1, qr/DeploymentEnded/, qw/deploy pause app/ ],
    [ 1, qr/no "red" in split/, qw/split set app red=1/ ],
) {
    my ($code, $text, @args) = @$_;

    $r = ctl(@args);
    is($r->{code}, $code, "exit code $code: @args");
    like($r->{err}, $text, 'says why');
}

$one->stop();
$r = duplexctl(@nodes[2, 3], qw/deploy start app --to green/);
is($r->{code}, 1, 'a node is down: refused');
like($r->{err}, qr/node a is down: with --on-node-loss=continue it goes on without/,
     'and says what to do');

done_testing();


sub ctl {
    return duplexctl(@nodes, @_);
}
