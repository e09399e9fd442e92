#!/usr/bin/perl

# Two services, each on a node of its own; whatever happens to a, b has both in
# time, and no session is lost.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/../lib";

use Duplex::Ha::Cluster;
use Duplex::Ha::Faults;
use Duplex::Test;


my $cluster = Duplex::Ha::Cluster->new(
    example => 'mutual-standby', apart => 1,
    services => { '10.77.0.101:80' => 'a', '10.77.0.102:8080' => 'b' },
    backends => [ qw/10.77.0.21:80 10.77.0.22:80
                     10.77.0.22:8080 10.77.0.23:8080/ ],
)->start();

$cluster->suffer(%$_) for Duplex::Ha::Faults::all();

$cluster->print_table();
$cluster->stop();

done_testing();
