package Duplex::Ha::Cluster;

# A pair made from one of conf.examples, with its backends and a client, each
# a machine of its own; and what its clients notice of a fault.
#
#        +---------+---- switch ---+-------+-------+-------+
#        |         |       |       |       |       |       |
#     gateway   client     a       b     be-1    be-2    be-3
#     10.77.0.1   .10     .11     .12     .21     .22     .23
#
# The example's own file of addresses is this network's.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Backend;
use Duplex::Directory;
use Duplex::Ha::Machine;
use Duplex::Ha::Network;
use Duplex::Load;
use Duplex::Wait;
use Test::More ();
use Time::HiRes qw/sleep time/;

use constant {
    RATE         => 200,    # requests a second to each address
    LOST_HEALING => 5,      # of those, when an address comes back: what was
                            # under way on a machine that does all of this
};


# example => 'active-standby',
# services => { '10.77.0.101:80' => 'a', ... }: where each address is at home
# backends => [ '10.77.0.21:80', ... ]
# apart => 1: the services have nothing in common, nor have their clients
sub new {
    my ($class, %args) = @_;

    my $self = bless { %args, table => [] }, $class;
    my $network = $self->{network} = Duplex::Ha::Network->new();

    $network->add('gateway', '10.77.0.1');
    $network->add('client', '10.77.0.10');
    $network->add("be-$_", "10.77.0.2$_") for 1 .. 3;

    $self->{backends} = [ map {
        my ($address, $port) = split /:/;
        my ($number) = $address =~ /2(\d)$/;

        Duplex::Backend->new(
            name => "be-$number-$port", netns => "be-$number",
            address => $address, port => $port, set => { sessions => 1 });
    } @{$args{backends}} ];

    my $root = Duplex::Directory::root();
    my $example = "$root/conf.examples/$args{example}";
    my $directory = Duplex::Directory::make('made');

    system("$root/lua-free-scripts/make-pair.sh", $example,
           "$example/addresses", $directory) == 0
        or croak 'make-pair.sh failed';

    $self->{$_->[0]} = Duplex::Ha::Machine->new(
        name => $_->[0], address => $_->[1], network => $network,
        directory => $directory,
    ) for ['a', '10.77.0.11'], ['b', '10.77.0.12'];

    return $self;
}


sub a { return $_[0]{a} }
sub b { return $_[0]{b} }
sub network { return $_[0]{network} }
sub backend_machines { return qw/be-1 be-2 be-3/ }


sub start {
    my ($self) = @_;

    $_->boot() for $self->a(), $self->b();
    $self->wait_calm();

    return $self;
}


# Both are ready and linked, and find all servers up: sessions that begin before
# may have to move; and each address is where it belongs.
sub wait_calm {
    my ($self) = @_;

    for my $machine ($self->a(), $self->b()) {
        wait_for { Duplex::Pair::is_linked($machine->nginx()) } 45,
            'machine "' . $machine->name() . '" to be linked and ready';

        wait_for { _all_up($machine->nginx()) } 15,
            'machine "' . $machine->name() . '" to find all servers up';
    }

    for my $service (sort keys %{$self->{services}}) {
        my $home = $self->{services}{$service};
        my ($address) = split /:/, $service;

        wait_for { $self->{$home}->has($address)
                   && !$self->_other($home)->has($address) } 15,
            "$address to be on $home only";
    }
}


sub _all_up {
    my ($nginx) = @_;

    my ($status, $groups) = $nginx->api_get('/api/9/http/upstreams');

    return $status == 200
        && !grep { $_->{state} ne 'up' } map { @{$_->{peers}} } values %$groups;
}


sub _other {
    my ($self, $name) = @_;
    return $self->{$name eq 'a' ? 'b' : 'a'};
}


# One fault, under load from two kinds of clients: those that give up at
# once, and patient ones that ask again for so many seconds.
#
#     name      what the table calls it
#     strike    => sub { my ($cluster) = @_; ... }
#     heal      => sub { ... }
#     moves     1: what is at home on "a" must go to "b"; 0: must not
#     within    seconds that may take
#     patience  seconds that patient clients have
#     lost      requests that the others may lose of it; not judged if absent
#     settles   seconds of traffic before it
#     lasts     seconds of traffic before it is healed, 1
#     lost_healing  requests that the others may lose by its end
#     gives_up  1: "a" lets its addresses go while it lasts
#     rebinds   1: sessions may move, to the servers that come back first
sub suffer {
    my ($self, %fault) = @_;

    $self->wait_calm();
    $self->network()->forget_neighbours('client');

    my @plain = $self->_clients(0);
    my @patient = $self->_clients($fault{patience} * $Duplex::Wait::slow);

    for my $load (@plain, @patient) {
        wait_for { $load->report()->{ok} > 100 } 10, 'the load';
    }

    $self->_watch($fault{settles} || 0);

    my $before = _sum(map { $_->report() } @plain);
    my $struck = time();

    $fault{strike}->($self);

    my $moved = $fault{moves} ? $self->_wait_moves($struck, $fault{name})
                              : undef;

    # clients are served again, or the fault has lasted long enough
    $self->_watch($fault{lasts} || 1);

    my $kept = $fault{gives_up} && $self->network()->moved_addresses('a');

    my $during = _sum(map { $_->report() } @plain);
    my $healed = time();

    $fault{heal}->($self);
    $self->wait_calm();

    my $calm = time() - $healed;

    $self->_watch(0.5);

    my $a = _sum(map { $_->stop() } @plain);
    my $b = _sum(map { $_->stop() } @patient);

    $self->_judge(\%fault, {
        name => $fault{name}, moved => $moved, calm => $calm, kept => $kept,
        lost => $during->{failed} - $before->{failed},
        lost_healing => $a->{failed} - $during->{failed},
        lost_patient => $b->{failed},
        sessions => $a->{moved} + $b->{moved},
        errors => [ @{$b->{errors}} ],
    });
}


# seconds from the fault to the last of the addresses on the other machine
sub _wait_moves {
    my ($self, $struck, $name) = @_;

    my $last = 0;

    for my $service (keys %{$self->{services}}) {
        next if $self->{services}{$service} ne 'a';

        my ($address) = split /:/, $service;

        wait_for { $self->b()->has($address) } 10, "$name: $address on b";

        my ($move) = grep { $_->[0] >= $struck - 0.01 && $_->[1] eq '+'
                            && $_->[2] eq $address } @{$self->b()->moves()};

        $last = $move->[0] - $struck if $move && $move->[0] - $struck > $last;
    }

    return $last;
}


sub _clients {
    my ($self, $patience) = @_;

    my @services = sort keys %{$self->{services}};

    return map { Duplex::Load->start(
        netns => 'client', targets => $_, sessions => 1,
        clients => 20 * @$_, rate => RATE / 2 * @$_,
        timeout => 0.3, patience => $patience,
    ) } $self->{apart} ? map { [$_] } @services : [@services];
}


sub _sum {
    my (@reports) = @_;

    my %sum = (errors => [ map { @{$_->{errors}} } @reports ]);

    for my $report (@reports) {
        $sum{$_} += $report->{$_} for qw/failed moved/;
    }

    return \%sum;
}


# traffic goes on for so many seconds
sub _watch {
    my ($self, $seconds) = @_;

    my $until = time() + $seconds;
    wait_for { time() > $until } $seconds + 1, 'time';
}


sub _judge {
    my ($self, $fault, $seen) = @_;

    push @{$self->{table}}, $seen;

    my $name = $fault->{name};

    # requests that are lost for want of a processor are not the pair's
    my $alone = $Duplex::Wait::slow <= 1;

    Test::More::cmp_ok($seen->{moved}, '<=', $fault->{within} * $Duplex::Wait::slow,
                       "$name: the address has moved in time")
        if $fault->{moves};

    Test::More::is($seen->{kept}, 0, "$name: a has let its addresses go")
        if $fault->{gives_up};

    Test::More::cmp_ok($seen->{lost}, '<=', $fault->{lost},
                       "$name: costs at most $fault->{lost}")
        if defined $fault->{lost} && $alone;

    Test::More::is($seen->{lost_patient}, 0,
                   "$name: a client with $fault->{patience} s loses nothing")
        or Test::More::diag(join "\n", @{$seen->{errors}});

    Test::More::is($seen->{sessions}, 0,
                   "$name: all sessions are on their servers")
        if !$fault->{rebinds};

    my $bound = $fault->{lost_healing} // LOST_HEALING;

    Test::More::cmp_ok($seen->{lost_healing}, '<=', $bound,
                       "$name: healing costs at most $bound")
        if $alone;
}


# Both nginx, at once: a client that an address has been taken away from is
# not heard of any more, so a worker may wait for its request a minute long.
sub stop {
    my ($self) = @_;
    $_->nginx()->stop('TERM') for $self->a(), $self->b();
}


# what was seen, for people
sub print_table {
    my ($self) = @_;

    Test::More::diag(sprintf '%-34s %9s %6s %8s %8s %8s %9s', 'fault',
        'moved', 'lost', 'patient', 'healing', 'sessions', 'calm in');

    Test::More::diag(sprintf '%-34s %9s %6d %8d %8d %8d %7.2f s',
        $_->{name}, defined $_->{moved} ? sprintf('%.2f s', $_->{moved}) : '-',
        @$_{qw/lost lost_patient lost_healing sessions calm/})
        for @{$self->{table}};
}


1;
