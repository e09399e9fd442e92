#!/usr/bin/perl

# A reload that changes the sizes of zones copies them, while the workers of
# before still write to the old ones what the other node sends: nothing of that
# is missing afterwards, nor of what this node tells then.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 2)->start();
my ($node_a, $node_b) = $pair->nodes();

my ($status, $before) = $node_a->api_get('/api/9/duplex/node');

# every request is a new client

my $load = Duplex::Load->start(
    targets => [ $node_b->address('front') ], clients => 4, rate => 400,
);

for my $size (2, 3) {
    my $conf = $node_a->conf();

    $conf =~ s/zone=sessions:\d+m/zone=sessions:${size}m/;
    $conf =~ s/^(duplex_node .*)\n(?:duplex_store_size .*\n)?
              /$1\nduplex_store_size ${size}m;\n/mx;

    $node_a->configure($conf);
    $node_a->reload(wait_old => 1);
    $node_a->get('/') for 1 .. 20;
}

my $report = $load->stop();

is($report->{failed}, 0, 'no request failed')
    or diag(Duplex::Load::summary($report));

$pair->wait_linked();

my $all = $report->{ok} + 40;

for my $node ($node_a, $node_b) {
    happens { sessions($node) == $all } 5,
        'node "' . $node->name() . "\" has all $all sessions"
        or diag(sessions($node) . ' are there');
}

($status, my $after) = $node_a->api_get('/api/9/duplex/node');

is($after->{incarnation}, $before->{incarnation}, 'it is the same node');

my @refused = map { $_->grep_log(qr/refuse/) } $pair->nodes();

is(@refused, 0, 'nobody was refused') or diag(join "\n", @refused);

done_testing();


sub sessions {
    my ($node) = @_;

    my ($status, $data) = $node->api_get('/api/9/stream/zone_sync');
    return $data->{zones}{sessions}{records_total};
}
