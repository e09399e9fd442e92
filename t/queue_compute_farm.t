#!/usr/bin/perl

# The example of a compute farm: ten times as many jobs as machines, each
# runs alone on its machine, none fails, also when a machine breaks down.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Crowd;
use Duplex::Example;
use Duplex::Test;


my $work = 0.04;
my $conf = Duplex::Example::conf('compute-farm.conf');

my $node = Duplex::Node->new(conf => $conf);

my @machines = map {
    my ($address, $port) = $node->expand($_) =~ /^(.*):(\d+)$/;
    Duplex::Backend->new(address => $address, port => $port,
                         set => { delay => $work })
} $conf =~ /server (127\S+) max_conns=1;/g;

is(scalar @machines, 4, 'four machines');

$node->start();

my $front = '127.0.0.1:' . $node->port('8080');
my $api = '127.0.0.1:' . $node->port('8081');


my $crowd = Duplex::Crowd->new($front);
$crowd->send(40, '/job');

wait_for { queue()->{size} > 20 } 5, 'most jobs wait';
is(queue()->{max_size}, 500, 'the size of the queue');

is_deeply([ map { $_->{status} // 'none' } $crowd->answers(20) ],
          [ (200) x 40 ], 'no job failed');

for my $i (0 .. $#machines) {
    my @times = map { $_->{read} } $machines[$i]->requests();
    my @gaps = sort { $a <=> $b }
               map { $times[$_] - $times[$_ - 1] } 1 .. $#times;

    # the clock of the backend's timer is not that of its log
    cmp_ok($gaps[0], '>', $work - 0.002, "machine $i had one job at a time");
}

is_deeply(queue(), { size => 0, max_size => 500, overflows => 0 },
          'nobody waits any more');

# POST: stock would not give it to another server

$machines[1]->set(delay => $work, close => 'before');

$crowd = Duplex::Crowd->new($front);
$crowd->send(40, '/job', method => 'POST', body => 'x' x 1000);

is_deeply([ map { $_->{status} // 'none' } $crowd->answers(20) ],
          [ (200) x 40 ], 'none failed with a machine that breaks down');

$node->expect_log(qr/upstream prematurely closed/);

done_testing();


sub queue {
    my ($status, $group) = api_get($api, '/api/9/http/upstreams/farm');
    return $group->{queue};
}
