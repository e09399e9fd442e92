#!/usr/bin/perl

# A node dies at any moment: every session that the other node had
# acknowledged goes on, on its old server.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Process;
use Duplex::Test;

use constant {
    ROUNDS => 6,
    ENOUGH => 25,       # sessions, before the node dies
};


my $pair = Duplex::Pair->new(
    backends => 3,
    check => 'interval=500ms uri=/health',
)->start();

for my $round (1 .. ROUNDS) {

    # each node has its turn to die
    my ($dying, $other) = $round % 2 ? $pair->nodes() : reverse $pair->nodes();

    my (%acknowledged, @new, $killer);
    my $delay = rand 0.4;
    my $pid = $dying->pid();

    # sessions are made and acknowledgements looked for until it is dead,
    # which no machine is too slow for

    while (1) {
        if (!$killer && keys %acknowledged >= ENOUGH) {
            $killer = Duplex::Process->start(name => 'killer', code => sub {
                sleep $delay;
                kill('KILL', -$pid);
            });
        }

        my $r = $dying->get('/');
        last if !$r->{status};

        push @new, [ $r->{cookies}{sid}, $r->{headers}{'x-backend'} ];

        if (@new % 5 == 0 && $pair->is_shipped($dying)) {
            $acknowledged{$_->[0]} = $_->[1] for splice @new;
        }
    }

    $killer->wait_end(5) if $killer;
    $dying->kill9();

    my $since = time();
    my $n = keys %acknowledged;
    my @moved;

    cmp_ok($n, '>=', ENOUGH, "round $round: sessions were acknowledged");

    for my $sid (sort keys %acknowledged) {
        my $r = $other->get('/', cookie => "sid=$sid");

        push @moved, "$sid: $r->{status} $r->{body}"
            if $r->{status} != 200;
    }

    # what the backends saw counts

    for my $backend ($pair->backends()) {
        for my $seen ($backend->requests(uri => qr{^/$}, since => $since)) {
            my ($sid) = ($seen->{headers}{cookie} // '') =~ /sid=(.*)/;

            # the dead node's last request, that a busy backend saw late
            next if !defined $sid;

            push @moved, "$sid on " . $backend->name()
                if delete $acknowledged{$sid} ne $backend->name();
        }
    }

    is("@moved @{[ sort keys %acknowledged ]}", ' ',
       sprintf 'round %d: %s killed %.3f s later, %d sessions go on',
       $round, $dying->name(), $delay, $n);

    $dying->start();
    $pair->wait_linked();
}

done_testing();
