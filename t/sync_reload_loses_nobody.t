#!/usr/bin/perl

# A reload hands the link over: the node that reloads does not lose the
# other one, nor is it lost.  The worker that leaves must not speak for the
# node any more when the next one has dialled.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new()->start();

for (1 .. 6) {
    $pair->a()->reload(wait_old => 1);
    $pair->wait_linked();
}

for my $node ($pair->nodes()) {
    my @lost = $node->grep_log(qr/ is lost: /);

    is(@lost, 0, 'node "' . $node->name() . '" lost nobody')
        or diag(join "\n", @lost);
}

done_testing();
