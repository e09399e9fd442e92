#!/usr/bin/perl

# Alone: it stops processes for a while, and measures who is heard.
#
# A node that dies or falls silent in a deployment pauses it: the other one
# holds the step and says why, and goes on when it is told to.  The client
# has nothing to do with it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Deploy;
use Duplex::Test;


my $pair = Duplex::Deploy::pair();
my ($one, $two) = $pair->nodes();
my $plan = { split => 'app', to => 'green', steps => [ 10, 100 ], every => '3s' };

# the driver is killed

is((Duplex::Deploy::post($two, $plan))[0], 201, 'start');
happens { Duplex::Deploy::state($two) eq 'running 1 of 2' } 10, 'the first step';

$one->kill9();
$two->expect_log(qr/lost/);

happens { Duplex::Deploy::state($two) eq 'paused 1 of 2' } 10,
    'the driver is killed: the other one holds the step';
is(Duplex::Deploy::deployment($two)->{why}, 'node a silent', 'and says why');
is(Duplex::Deploy::weights($two)->{green}, 10, 'with its weights');

is((Duplex::Deploy::patch($two, 'deployments/app', { action => 'resume' }))[0], 200,
   'resume');
happens { Duplex::Deploy::state($two) eq 'done 2 of 2' } 20, 'goes on alone';

# it comes back and knows how it ended

$one->start();
$pair->wait_linked();
happens { Duplex::Deploy::state($one) eq 'done 2 of 2' } 5, 'the killed one knows';
is(Duplex::Deploy::weights($one)->{green}, 100, 'and has the weights');

# both go on after a restart of both

my $back = { %$plan, to => 'blue' };

is((Duplex::Deploy::post($two, $back))[0], 201, 'the way back');
happens { Duplex::Deploy::state($one) eq 'running 1 of 2' } 10, 'the first step';
happens { Duplex::Deploy::weights($_)->{blue} == 10 } 5, 'on ' . $_->name()
    for $one, $two;

# a reload of both, and the death of a worker, in the middle

$_->reload() for $one, $two;
my ($status, $node) = $two->api_get('/api/duplex/node');
$two->kill9_worker($node->{lease_holder}) if $node->{lease_holder};

happens { Duplex::Deploy::state($two) eq 'done 2 of 2' } 20,
    'reloads and a dead worker make no difference';

# frozen: silent, and awake again

is((Duplex::Deploy::post($two, { %$plan, every => '30s' }))[0], 201, 'once more');
happens { Duplex::Deploy::state($two) eq 'running 1 of 2' } 10, 'the first step';
happens { @{Duplex::Deploy::deployment($two)->{nodes}} == 2 } 5, 'both report';

my @frozen = ($one->pid(), $one->workers());
kill 'STOP', @frozen;
happens { Duplex::Deploy::state($two) eq 'paused 1 of 2' } 10, 'a frozen node pauses it';
kill 'CONT', @frozen;

happens { Duplex::Deploy::state($one) eq 'paused 1 of 2' } 10, 'awake, it agrees';
is((Duplex::Deploy::patch($one, 'deployments/app?reason=enough',
    { action => 'rollback' }))[0], 200, 'rollback at the one that was frozen');
happens { Duplex::Deploy::weights($_)->{blue} == 100 } 5, 'is in force on ' . $_->name()
    for $one, $two;

# with the other node gone, and told not to care

$one->stop();
is((Duplex::Deploy::post($two, { %$plan, every => '100ms',
                                 on_node_loss => 'continue' }))[0], 201,
   'one node alone');
happens { Duplex::Deploy::state($two) eq 'done 2 of 2' } 15, 'does it';

done_testing();
