#!/usr/bin/perl

# kill -9 of a worker, or of the master and all workers, at random moments in
# a stream of changes: every change that was answered is there after a start.
#
# DUPLEX_KILLS=200 for the long run.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Writers;

use constant SERVERS => 16;


my $kills = $ENV{DUPLEX_KILLS} || 20;

my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        SERVERS => join("\n", map { "server 127.0.1.$_:1;" } 0 .. SERVERS - 1),
    },
    conf => <<'EOC');
%%MAIN%%
worker_processes 3;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        %%SERVERS%%
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC

my $dir = $node->prefix() . '/state/journal';
my ($of_worker, $of_all, $answers, $lost) = (0, 0, 0, 0);

$node->start();

while ($of_worker + $of_all < $kills) {
    my $writers = Duplex::Writers->start(
        address => $node->address('api'),
        path => '/api/9/http/upstreams/app/servers',
        clients => 4, states => [ states() ],
        file => $node->prefix() . "/answers.$of_all",
    );

    wait_for { ($writers->expected())[1] > 10 } 10, 'changes';

    for (1 .. int(rand(3))) {
        sleep rand(0.1);

        my @workers = $node->workers() or last;
        $node->kill9_worker($workers[rand @workers]);
        $of_worker++;
    }

    sleep rand(0.1);
    $node->kill9();
    $of_all++;

    $writers->stop();
    $node->start();

    my ($expected, $n) = $writers->expected();
    my @states = states();
    $answers += $n;

    for my $id (0 .. $#states) {
        my $state = $states[$id];
        next if $expected->{$id}{$state};

        $lost++;
        diag("kill $of_all: server $id is $state, answered was "
             . join ' or ', sort keys %{$expected->{$id}});
    }
}

is($lost, 0, "$of_worker kills of a worker, $of_all of master and workers: "
             . "all of $answers answered changes are there");
is(scalar(() = glob "$dir/*.bad"), 0, 'no file was found corrupt');
is(scalar(() = glob "$dir/journal.*"), 1, 'no file is left over');

done_testing();


# of all servers, by number
sub states {
    my $peers = $node->peers('app');
    return map { $peers->{"127.0.1.$_:1"}{state} } 0 .. SERVERS - 1;
}
