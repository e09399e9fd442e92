#!/usr/bin/perl

# The wire between two nodes is cut in a deployment, and both live on: each
# holds the step and says why.  What operators say to one side meanwhile is
# merged by the rules when it heals: the higher epoch counts; within one, a
# rollback goes before a pause, and that before a step.
#
# DEPLOY_CUTS=all tries all pairs of words.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Deploy;
use Duplex::Test;


my ($pair, @wires) = Duplex::Deploy::pair_with_wires();
my ($one, $two) = $pair->nodes();
my ($load) = Duplex::Load->start(
    targets => [ $pair->addresses('front') ], clients => 8, rate => 100,
    keepalive => 1, uri => '/?key=%r');

# words on each side, that begin an epoch each

my @all = (
    [ 'a rollback goes before a step', [ 'rollback' ], [ 'resume' ],
      'rolled back 1 of 2', 0 ],
    [ 'a pause goes before a step', [ 'pause' ], [ 'resume' ],
      'paused 1 of 2', 10 ],
);

for (
    ($ENV{DEPLOY_CUTS} ? @all : ()),
    [ 'a rollback goes before a pause', [ 'pause' ], [ 'rollback' ],
      'rolled back 1 of 2', 0 ],
    [ 'the higher epoch goes before a rollback', [ 'rollback' ],
      [ 'resume', 'pause' ], 'paused 1 of 2', 10 ],
) {
    my ($what, $here, $there, $state, $green) = @$_;

    start();
    cut($what);

    act($one, $_) for @$here;
    act($two, $_) for @$there;

    heal();

    happens { state_of($one) eq $state && state_of($two) eq $state } 20,
        "$what: $state";
    happens { Duplex::Deploy::weights($one)->{green} == $green
              && Duplex::Deploy::weights($two)->{green} == $green } 20,
        "both have green at $green %";

    my ($here_now, $there_now) = map { Duplex::Deploy::deployment($_) } $one, $two;
    is($here_now->{why}, $there_now->{why}, "both say why: $here_now->{why}");
    is($here_now->{epoch}, $there_now->{epoch}, 'of one epoch');

    act($one, 'rollback') if $state !~ /^rolled/;
}

# nobody says anything: it is paused, and goes on when it is told to

start();
cut('nobody says anything');
heal();

is(state_of($_), 'paused 1 of 2', $_->name() . ' still holds when it has healed')
    for $one, $two;
act($two, 'promote');
happens { state_of($one) eq 'running 2 of 2' } 20, 'and goes on when told to';
happens { Duplex::Deploy::weights($_)->{green} == 100 } 5, 'on ' . $_->name()
    for $one, $two;

my $report = $load->stop();
is($report->{failed}, 0, "of $report->{sent} requests none failed")
    or diag("@{$report->{errors}}");

done_testing();


sub start {
    my ($status, $answer);

    # the one before must be over for both
    wait_for {
        ($status, $answer) = Duplex::Deploy::post($one, {
            split => 'app', to => 'green', steps => [ 10, 100 ], every => '10m' });
        $status == 201;
    } 20, 'the start';

    wait_for { state_of($one) eq 'running 1 of 2' && state_of($two) eq 'running 1 of 2'
               && Duplex::Deploy::weights($two)->{green} == 10 } 20, 'the first step';
}


sub cut {
    my ($what) = @_;

    $_->set(both => { hold => 1 }) for @wires;

    happens { state_of($one) eq 'paused 1 of 2' && state_of($two) eq 'paused 1 of 2' }
        20, "$what: both hold";
    is(Duplex::Deploy::deployment($one)->{why}, 'node b silent', 'one says why');
    is(Duplex::Deploy::deployment($two)->{why}, 'node a silent', 'so does the other');
    is(Duplex::Deploy::weights($_)->{green}, 10, 'with the weights of the step')
        for $one, $two;
}


sub heal {
    $_->set() for @wires;
    $pair->wait_linked();
}


sub act {
    my ($node, $action) = @_;

    my ($status, $answer) = Duplex::Deploy::patch(
        $node, "deployments/app?reason=$action", { action => $action });
    is($status, 200, "$action, on " . $node->name());
}


sub state_of { return Duplex::Deploy::state($_[0]) }
