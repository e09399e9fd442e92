#!/usr/bin/perl

# A worker of an idle pair wakes up at most 12 times a second.
#
# A voluntary context switch is a wait in epoll_wait() that really waited:
# what strace -c would count, without strace.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use constant {
    LIMIT   => 12,
    SECONDS => 4,
    WINDOWS => 4,
};


my $pair = Duplex::Pair->new(
    backends => 3,
    check => 'interval=1s uri=/health',
)->start();

# A busy machine splits what a quiet one does in one wake-up: the best of a
# few windows counts for each worker.

my (%name, %best);

for my $node ($pair->nodes()) {
    $name{$_} = $node->name() for $node->workers();
}

for (1 .. WINDOWS) {
    my %before = map { $_ => switches($_) } keys %name;
    my $start = time();

    sleep SECONDS;

    for my $pid (keys %name) {
        my $rate = (switches($pid) - $before{$pid}) / (time() - $start);
        $best{$pid} = $rate if !defined $best{$pid} || $rate < $best{$pid};
    }

    last if !grep { $_ > LIMIT } values %best;
}

for my $pid (sort { $a <=> $b } keys %best) {
    cmp_ok($best{$pid}, '<=', LIMIT, sprintf '%s, worker %d: %.1f a second',
           $name{$pid}, $pid, $best{$pid});
}

# a configuration without our directives wakes nobody

my $plain = Duplex::Node->new(name => 'plain', conf => <<'EOC')->start();
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 1m;
        server 127.0.0.1:1;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
        }
    }
}
EOC

my ($worker) = $plain->workers();
my $was = switches($worker);

sleep 2;

is(switches($worker) - $was, 0, 'modules that are not used cost nothing');

done_testing();


sub switches {
    my ($pid) = @_;

    open(my $f, '<', "/proc/$pid/status") or die "$pid: $!\n";
    my ($n) = join('', <$f>) =~ /^voluntary_ctxt_switches:\s+(\d+)/m;
    return $n;
}
