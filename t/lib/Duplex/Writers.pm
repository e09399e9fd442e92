package Duplex::Writers;

# Clients that change servers through the API without a pause, and remember
# what was answered.  Each has servers of its own, so that the last word on a
# server is known, whatever is killed in the middle of it.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Connection;
use Duplex::Process;
use Time::HiRes qw/sleep time/;

# a new connection after so many requests: all workers get their share
use constant PER_CONNECTION => 5;

my %BODY = (
    up       => '{"down":false}',
    down     => '{"down":true}',
    draining => '{"drain":true}',
);

# address => of the API, path => of the servers, clients => 4, states => what
# each server is in now, file => where they write down what they do; changes
# => of each client, or until stop(); args => 'wait=1000'; applied => 'a b': an
# answer counts if it says that these nodes have the change
sub start {
    my ($class, %args) = @_;

    my $self = bless { %args, processes => [] }, $class;

    for my $client (0 .. $args{clients} - 1) {
        push @{$self->{processes}}, Duplex::Process->start(
            name => "writer $client",
            code => sub { $self->_run($client) },
        );
    }

    return $self;
}


# waits until each has made its changes
sub wait_end {
    my ($self, $limit) = @_;
    $_->wait_end($limit) || croak 'a writer did not end'
        for @{$self->{processes}};
}


sub stop {
    my ($self) = @_;
    $_->kill_group() for @{$self->{processes}};
}


# server => { state => 1 }: what it may be in; and the number of answers
sub expected {
    my ($self) = @_;

    my %expected = map { $_ => { $self->{states}[$_] => 1 } }
                   0 .. $#{$self->{states}};
    my $answers = 0;

    for my $client (0 .. $self->{clients} - 1) {
        open(my $f, '<', "$self->{file}.$client") or next;

        while (defined(my $line = <$f>)) {
            my ($what, $id, $state) = $line =~ /^([SA]) (\d+) (\w+)\n/ or next;

            # what was not answered may be in force or not
            if ($what eq 'S') {
                $expected{$id}{$state} = 1;
            } else {
                $expected{$id} = { $state => 1 };
                $answers++;
            }
        }
    }

    return (\%expected, $answers);
}


sub _run {
    my ($self, $client) = @_;

    open(my $f, '>>', "$self->{file}.$client") or die "$self->{file}: $!\n";

    my @mine = grep { $_ % $self->{clients} == $client }
               0 .. $#{$self->{states}};

    my @states = sort keys %BODY;
    my ($connection, $used) = (undef, PER_CONNECTION);
    srand($$);

    for (my $i = 0; !$self->{changes} || $i < $self->{changes}; $i++) {
        my $id = $mine[rand @mine];
        my $state = $states[rand @states];

        syswrite($f, "S $id $state\n");

        # said again until it is answered
        my $answered;

        while (1) {
            if ($used++ >= PER_CONNECTION) {
                $connection = Duplex::Connection->new($self->{address});
                $used = 0;
            }

            my $path = "$self->{path}/$id";
            $path .= "?$self->{args}" if $self->{args};

            my $r = $connection->request('PATCH', $path,
                                         body => $BODY{$state});

            if ($r->{status} == 200) {
                $answered = $self->_counts($r);
                last;
            }

            $used = PER_CONNECTION;
            sleep 0.002;
        }

        syswrite($f, "A $id $state\n") if $answered;
    }
}


sub _counts {
    my ($self, $r) = @_;

    return 1 if !$self->{applied};

    my $nodes = $r->{headers}{'x-duplex-applied'} // '';
    return join(' ', sort split /, /, $nodes) eq $self->{applied};
}


1;
