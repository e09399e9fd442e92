#!/usr/bin/perl

# A server is probed once per interval by the whole node: with four workers,
# after the death of the one that probes, and over reloads, which lose no
# verdict either.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


use constant INTERVAL => 0.5;

my ($good, $bad, $slow) = map { Duplex::Backend->new(name => "b$_") } 1 .. 3;

$bad->set(status => 500);
$slow->set_for('/probe', delay => 0.2);

my $node = Duplex::Node->new(
    name => 'a',
    log_level => 'info',
    vars => { good => $good->address(), bad => $bad->address(),
              slow => $slow->address() },
    conf => <<'EOC',
%%MAIN%%
worker_processes 4;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%good%%;
        server %%bad%%;
        server %%slow%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_next_upstream off;
            health_check interval=500ms uri=/probe mandatory;
        }
    }
}
EOC
);

my %PROBE = (uri => qr{^/probe});

$node->start();

my $line = $node->wait_log(qr/this worker probes/);
my ($holder) = $line =~ /(\d+)#/;

$node->wait_log(qr/"\Q$_\E" in upstream "app" is now up/)
    for $good->address(), $slow->address();
$node->wait_log(qr/"\Q@{[$bad->address()]}\E" in upstream "app" is now unhe/);

wait_for { $good->count(%PROBE) >= 4 } 5, 'four probes';

# the holder dies in the middle of a probe

my $asked = $slow->count(%PROBE);
wait_for { $slow->count(%PROBE) > $asked } 5, 'a probe that takes a while';

my $mark = $node->mark();
my $killed = time();
$node->kill9_worker($holder);

$node->wait_log(qr/this worker probes/, 5, $mark);
cmp_ok(time() - $killed, '<', 1, 'another worker took over within a second');

wait_for { $good->count(%PROBE, since => $killed) >= 3 } 5, 'probes go on';

# a holder that is stopped for a while does not go on where it was

($holder) = ($node->grep_log(qr/this worker probes/, $mark))[-1] =~ /(\d+)#/;
my $stopped = $node->mark();

kill('STOP', $holder);
$node->wait_log(qr/this worker probes/, 5, $stopped);

for my $signal ('', 'CONT') {
    kill($signal, $holder) if $signal;

    my $seen = $good->count(%PROBE);
    wait_for { $good->count(%PROBE) >= $seen + 3 } 5, 'probes go on';
}

# reloads under load

my $load = Duplex::Load->start(targets => [ $node->address('front') ],
                               clients => 4, rate => 200);

for (1 .. 5) {
    $node->reload();

    my $seen = $slow->count(%PROBE);
    wait_for { $slow->count(%PROBE) > $seen } 5, 'a probe by the new workers';
}

my $report = $load->stop();

is($report->{failed}, 0, 'five reloads: no request failed')
    or diag(Duplex::Load::summary($report));
is($bad->count(uri => qr{^/$}), 0, '... none came to an unhealthy server');
is($node->grep_log(qr/is now/, $mark), 0, '... no verdict was lost');

for ([ good => $good ], [ bad => $bad ], [ slow => $slow ]) {
    my ($name, $backend) = @$_;
    my ($shortest) = $backend->gaps(%PROBE);

    cmp_ok($shortest, '>=', 0.8 * INTERVAL,
           "the $name server was never probed twice in 0.8 of an interval");
    cmp_ok($backend->count(%PROBE), '>=', 10, '... but often enough');
}

# Without a check an old verdict means nothing; with one again it counts
# before the first probe.

(my $unchecked = $node->conf()) =~ s/health_check.*//;
my $checked = $node->conf();

$node->configure($unchecked);
$node->reload(wait_old => 1);
happens { $node->get('/')->{status} == 500 } 5,
    'a reload without the check: the unhealthy server has requests';

$bad->set_for('/probe', hang => 1);
$node->configure($checked);
$node->reload(wait_old => 1);

my %status;
$status{$node->get('/')->{status}}++ for 1 .. 20;
is_deeply(\%status, { 200 => 20 }, '... and with it again: none');

done_testing();
