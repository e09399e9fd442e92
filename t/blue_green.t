#!/usr/bin/perl

# Alone: it counts what becomes of a load of 500 requests a second.
#
# The example of blue-green, under load with users that have sessions: no
# request fails, nobody who is bound goes back, an unbound key changes colour
# at most once, and each step has the share that it should have.
#
# BLUE_GREEN_RUNS=100 is the long run.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Deploy;
use Duplex::Example;
use Duplex::Ports;
use Duplex::Test;


no warnings 'qw';

my $runs = $ENV{BLUE_GREEN_RUNS} || 2;
my $ports = Duplex::Ports->new();
my @backends = map {
    Duplex::Backend->new(name => "b$_", address => '127.0.0.' . (20 + $_),
                         port => $ports->port('8000'), set => { sessions => 1 })
} 1 .. 4;

my %node = map {
    my ($name, $ip) = @$_;
    my $conf = Duplex::Example::conf("blue-green/nginx-$name.conf",
        8080 => 'front', 8081 => 'api', 8000 => '8000', 9000 => 'sync');

    # keys of our own, from one address
    $conf =~ s/^(\s*key\s+)\S+;/$1\$arg_key;/m or die "no key\n";
    $conf =~ s/^(\s+location \/ \{)/        location = \/where { return 200 "\$pool"; }\n\n$1/m;

    $name => Duplex::Node->new(name => $name, address => $ip, ports => $ports,
                               conf => $conf)->start()
} ([ 'a', '127.0.0.11' ], [ 'b', '127.0.0.12' ]);

my @nodes = map { $node{$_} } qw/a b/;
my @ctl = map { ('-n', $_->address('api')) } @nodes;

wait_for { Duplex::Pair::is_linked($_) } 10, 'the link' for @nodes;
wait_for { !grep { $_->{state} ne 'up' } map { values %{$nodes[0]->peers($_)} }
           qw/app_blue app_green/ } 10, 'the servers';

my @keys = map { "user-$_" } 1 .. 2000;
my $load = Duplex::Load->start(
    targets => [ map { $_->address('front') } @nodes ], clients => 24,
    rate => 500, keepalive => 1, sessions => 1, uri => '/?key=%r');

my %bad = map { $_ => 0 } qw/back twice share bound/;

for my $run (1 .. $runs) {
    my ($to, $from) = $run % 2 ? qw/green blue/ : qw/blue green/;
    my %was = map { $_ => $from } @keys;
    my (%changes, %shares);

    # users that have met the old colour
    my @bound = map { bound_to($from) } 1 .. 5;

    my $r = duplexctl(@ctl, qw/deploy start app --steps=10,50,100 --every=900ms
        --gate=healthy>=1,5xx<1%,p99<5s --min-requests=10/, "--to=$to");
    die $r->{err} if $r->{code};

    my $state = '';

    while ($state !~ /^(done|rolled back|paused)/) {
        my $node = $nodes[rand @nodes];
        my $before = Duplex::Deploy::weights($node)->{$to};
        my $n = 0;

        for my $key (@keys) {
            my $now = Duplex::Deploy::where($node, $key);

            $n += $now eq $to;
            $bad{back}++ if $was{$key} eq $to && $now ne $to;
            $bad{twice}++ if $was{$key} ne $now && $changes{$key}++;
            $was{$key} = $now;
        }

        # of a look that no activation came into
        $state = Duplex::Deploy::state($node);
        my $after = Duplex::Deploy::weights($node)->{$to};
        $shares{$before} = 100 * $n / @keys if $before == $after;
        $bad{bound} += grep { where($node, $_) ne $from } @bound;
    }

    like($state, qr/^done/, "run $run, to $to: done");
    cmp_ok(abs($shares{$_} - $_), '<=', 1, sprintf 'share of step %d: %.1f', $_, $shares{$_})
        for sort { $a <=> $b } keys %shares;
}

my $report = $load->stop();

is($report->{failed}, 0, "of $report->{sent} requests none failed")
    or diag("@{$report->{errors}}");
is($bad{twice}, 0, 'no key changed its colour twice');
is($bad{back}, 0, 'none went back');
is($bad{bound}, 0, 'who is bound stayed');

done_testing();


# a cookie that says this colour
sub bound_to {
    my ($colour) = @_;
    return "pool=$colour";
}


sub where {
    my ($node, $cookie) = @_;
    my $r = $node->get('/where?key=' . rand(), cookie => $cookie);
    return $r->{body} =~ s/^app_//r;
}
