#!/usr/bin/perl

# A deployment goes its steps by itself, on both nodes together and without a
# failed request; a gate that fails takes it back at once; it holds when too
# little is known; an operator may pause, resume, promote and roll back.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Deploy;
use Duplex::Test;


my $pair = Duplex::Deploy::pair();
my ($a, $b) = $pair->nodes();
my $slow = $Duplex::Wait::slow;

# nothing to see yet

is((Duplex::Deploy::patch($a, 'deployments/app', { action => 'pause' }))[0], 404,
   'there is none');

for (
    [ 400, {} ],
    [ 404, { split => 'none', to => 'green' } ],
    [ 400, { split => 'app' } ],
    [ 400, { split => 'app', to => 'red' } ],
    [ 400, { split => 'app', to => 'green', colour => 1 } ],
    [ 400, { split => 'app', to => 'green', id => 1 } ],
    [ 400, { split => 'app', to => 'green', steps => [] } ],
    [ 400, { split => 'app', to => 'green', steps => [ 10, 5, 100 ] } ],
    [ 400, { split => 'app', to => 'green', steps => [ 10, 50 ] } ],
    [ 400, { split => 'app', to => 'green', steps => [ 0, 100 ] } ],
    [ 400, { split => 'app', to => 'green', every => 5 } ],
    [ 400, { split => 'app', to => 'green', every => '5x' } ],
    [ 400, { split => 'app', to => 'green', gate => 'healthy>2' } ],
    [ 400, { split => 'app', to => 'green', gate => '5xx<1' } ],
    [ 400, { split => 'app', to => 'green', gate => 'p100<1s' } ],
    [ 400, { split => 'app', to => 'green', gate => 'p99<1' } ],
    [ 400, { split => 'app', to => 'green', min_requests => -1 } ],
    [ 400, { split => 'app', to => 'green', on_node_loss => 'cry' } ],
    [ 409, { split => 'app', to => 'blue' } ],
) {
    my ($wanted, $body) = @$_;
    my ($status, $answer) = Duplex::Deploy::post($a, $body);
    is($status, $wanted, JSON::PP->new->canonical->encode($body));
    ok($answer->{error}{text}, $answer->{error}{text});
}

# too little is known: it holds

start(min_requests => 5, every => '200ms');
happens { Duplex::Deploy::state($a) eq 'running 1 of 3' } 10, 'the first step';
happens { hold() =~ /^\d of 5 requests$/ } 5, 'holds without requests';
is_deeply(Duplex::Deploy::weights($b), { blue => 90, green => 10 },
          'with the weights of the step');
is((Duplex::Deploy::patch($b, 'splits/app', { weights => { green => 5 } }))[0], 409,
   'which nobody else may change');
is((start())[0], 409, 'nor start another');

# pause, resume, promote, rollback, from either node

is((act($b, 'pause', 'lunch'))[0], 200, 'pause');
happens { Duplex::Deploy::state($a) eq 'paused 1 of 3' } 5, 'known to both';
like(Duplex::Deploy::deployment($a)->{why}, qr/^127\.0\.0\.\d+: lunch$/, 'and why');

is((act($a, 'resume'))[0], 200, 'resume');
happens { Duplex::Deploy::state($b) eq 'running 1 of 3' } 5, 'known to both';

is((act($b, 'promote'))[0], 200, 'promote');
happens { Duplex::Deploy::state($a) eq 'running 3 of 3' } 10, 'goes to the last step';
is_deeply(Duplex::Deploy::weights($a), { blue => 0, green => 100 }, 'of 100 %');

is((act($b, 'rollback', 'no'))[0], 200, 'rollback');
happens { Duplex::Deploy::state($a) eq 'rolled back 3 of 3' } 5, 'known to both';
happens { Duplex::Deploy::weights($a)->{blue} == 100 } 5, 'back to where it was';
is((act($a, 'resume'))[0], 409, 'and over');
is((act($a, 'dance'))[0], 400, 'an unknown action');

# the whole way, under load

my $load = Duplex::Load->start(
    targets => [ $pair->addresses('front') ], clients => 16, rate => 300,
    keepalive => 1, uri => '/?key=%r');

is((start(every => '600ms', min_requests => 10,
          gate => 'healthy>=2,5xx<1%,p99<2s'))[0], 201, 'start');

my %seen;
happens {
    $seen{Duplex::Deploy::state($a)}++;
    Duplex::Deploy::state($b) eq 'done 3 of 3'
} 30, 'it is done';

ok($seen{"running $_ of 3"}, "it went step $_") for 1 .. 3;
is_deeply(Duplex::Deploy::weights($_), { blue => 0, green => 100 },
          'all of it on ' . $_->name()) for $a, $b;

is((Duplex::Deploy::patch($a, 'splits/app', { weights => { blue => 100 } }))[0], 200,
   'weights may be set by hand again');
happens { Duplex::Deploy::weights($b)->{blue} == 100 } 5, 'on both';

# a gate fails

sleep 0.3;
my $report = $load->report();
is($report->{failed}, 0, 'no request has failed') or diag("@{$report->{errors}}");

$pair->backend($_)->set(status => 500) for qw/b3 b4/;
$pair->backend($_)->set_for('/health', status => 200) for qw/b3 b4/;

start(every => '5s', min_requests => 50, gate => '5xx<20%');
happens { Duplex::Deploy::state($b) =~ /^rolled back/ } 20, '5xx: rolled back';
like(Duplex::Deploy::deployment($b)->{why},
     qr/^5xx<20% failed: \d+ of \d+ requests$/, 'and says which');
happens { Duplex::Deploy::weights($_)->{blue} == 100 } 5, 'on ' . $_->name()
    for $a, $b;

$pair->backend($_)->set() for qw/b3 b4/;
$load->stop();

start(every => '10s', gate => 'healthy>=2', min_requests => 0);
happens { Duplex::Deploy::state($b) eq 'running 1 of 3' } 20, 'again';
$pair->backend('b3')->set_for('/health', status => 503);

my $began = time();
happens { Duplex::Deploy::state($a) =~ /^rolled back/ } 10, 'a server fails: rolled back';
cmp_ok(time() - $began, '<', 2 * $slow, 'soon');
is(Duplex::Deploy::deployment($a)->{why}, 'healthy>=2 failed: 1 healthy', 'and says why');

start(every => '10s', gate => 'healthy>=2', min_requests => 0);
happens { hold() eq 'healthy>=2 failed: 1 healthy' } 10,
    'what does not hold at first is waited for';
act($a, 'rollback');

# called twice at once

$pair->backend('b3')->set();

my @children = map {
    Duplex::Process->start(name => 'twice', code => sub {
        my ($status) = start();
        die "$status\n" if $status != 201;
    })
} 1 .. 4;

$_->wait_end(10) for @children;
is((grep { $_->status() == 0 } @children), 1, 'of four starts at once one counts');
act($a, 'rollback');

my ($status, $history) = $b->api_get('/api/duplex/deployments/app/history');
is(scalar @$history, 6, 'all of it is history');
is((grep { $_->{state} eq 'done' } @$history), 1, 'how it ended, too');

done_testing();


sub start {
    my (%plan) = @_;

    return Duplex::Deploy::post($a, { split => 'app', to => 'green',
                                      steps => [ 10, 50, 100 ],
                                      every => '1s', %plan });
}


sub act {
    my ($node, $action, $why) = @_;
    my $reason = $why ? "?reason=$why" : '';
    return Duplex::Deploy::patch($node, "deployments/app$reason", { action => $action });
}


# what the driver waits for
sub hold {
    my ($driver) = grep { $_->{name} eq 'a' }
                   @{Duplex::Deploy::deployment($b)->{nodes}};
    return $driver->{hold};
}
