#!/usr/bin/perl

# One address, on node a; whatever happens to a, b has it in time, and no
# session is lost.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/../lib";

use Duplex::Ha::Cluster;
use Duplex::Ha::Faults;
use Duplex::Test;


my $cluster = Duplex::Ha::Cluster->new(
    example => 'active-standby',
    services => { '10.77.0.101:80' => 'a' },
    backends => [ map { "10.77.0.2$_:80" } 1 .. 3 ],
)->start();

$cluster->suffer(%$_) for Duplex::Ha::Faults::all();

$cluster->print_table();
$cluster->stop();

done_testing();
