#!/usr/bin/perl

# Two addresses of one service, one on each node; whatever happens to a, b has
# both in time, and no session is lost.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/../lib";

use Duplex::Ha::Cluster;
use Duplex::Ha::Faults;
use Duplex::Test;


my $cluster = Duplex::Ha::Cluster->new(
    example => 'active-active',
    services => { '10.77.0.101:80' => 'a', '10.77.0.102:80' => 'b' },
    backends => [ map { "10.77.0.2$_:80" } 1 .. 3 ],
)->start();

$cluster->suffer(%$_) for Duplex::Ha::Faults::all();

$cluster->print_table();
$cluster->stop();

done_testing();
