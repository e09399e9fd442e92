#!/usr/bin/perl

# What is made on one node, session or administrative change, is seen on the
# other at once: it is pushed, nothing waits for a beat of 250 ms.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Connection;
use Duplex::Test;

use constant ROUNDS => 60;


my $pair = Duplex::Pair->new(backends => 1)->start();

my %front = map { $_->name() => Duplex::Connection->new($_->address('front')) }
            $pair->nodes();
my %api = map { $_->name() => Duplex::Connection->new($_->address('api')) }
          $pair->nodes();

my (%took, $down, $sessions);

for my $round (1 .. ROUNDS) {

    my ($from, $to) = $round % 2 ? qw/a b/ : qw/b a/;

    # an administrative change; the clock starts with the answer to it

    $down = !$down;
    $api{$from}->request('PATCH', '/api/9/http/upstreams/app/servers/0',
                         body => $down ? '{"down":true}' : '{"down":false}');

    $took{change}{$round} = seen(sub {
        state_on($to) eq ($down ? 'down' : 'up')
    });

    next if $down;

    $front{$from}->get('/');
    $sessions++;

    $took{session}{$round} = seen(sub { sessions_on($to) == $sessions });
}

for my $what (sort keys %took) {
    my @ms = sort { $a <=> $b } values %{$took{$what}};
    my ($p50, $p99) = map { $ms[int($_ * $#ms)] } 0.5, 0.99;

    diag(sprintf '%s: seen after p50 %.2f ms, p99 %.2f ms, of %d',
         $what, $p50, $p99, scalar @ms);

    # half a beat would be the mean of a poll; this machine may be busy
    cmp_ok($p50, '<', 50, "$what: at once");
}

done_testing();


# ms until it is so
sub seen {
    my ($condition) = @_;

    my $start = time();

    while (!$condition->()) {
        return 1e6 if time() > $start + 5;
    }

    return 1000 * (time() - $start);
}


sub state_on {
    my ($name) = @_;

    my $r = $api{$name}->get('/api/9/http/upstreams/app');
    return JSON::PP::decode_json($r->{body})->{peers}[0]{state};
}


sub sessions_on {
    my ($name) = @_;

    my $r = $api{$name}->get('/api/9/stream/zone_sync');
    return JSON::PP::decode_json($r->{body})->{zones}{sessions}{records_total};
}
