package Duplex::Load;

# Continuous load from a child process: N clients with GET requests, each as
# a real client does it.
#
#     my $load = Duplex::Load->start(targets => [ '127.0.0.11:8080', ... ],
#                                    clients => 8, rate => 400);
#     ...
#     my $report = $load->stop();
#
# keepalive => 1   one connection for many requests; closed before the first
#                  byte of an answer, it is opened again (else: a connection
#                  per request)
# retry => 1       a request that got no complete answer is sent once more,
#                  to the next target
# patience => 1.5  it is sent again, every 50 ms, for so many seconds
# timeout => 20    seconds of one try
# netns => 'name'  the network namespace that the clients live in
# sessions => 1    each client keeps the cookie "sid"; an answer of another
#                  backend than the one before is "moved"
# uri => '/'        "%r" in it is the number of the request
# rate => 300      requests per second of all clients together
#
# The report: { sent, ok, failed, retried, moved, backends => { b1 => n },
# statuses => { 200 => n }, errors => [ first texts ], sessions => { sid =>
# backend } }.  "ok" are answers 200 to 399.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Load::Clients;
use Duplex::Process;
use IO::Handle;
use JSON::PP ();
use Socket;


sub start {
    my ($class, %args) = @_;

    croak "no targets" if !@{$args{targets} || []};

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or croak "socketpair() failed: $!";

    my $process = Duplex::Process->start(
        name => 'load',
        netns => $args{netns},
        code => sub {
            CORE::close($ours);
            Duplex::Load::Clients->new(%args, control => $theirs)->run();
        },
    );

    CORE::close($theirs);
    $ours->autoflush(1);

    return bless { process => $process, control => $ours }, $class;
}


# the figures so far; the load goes on
sub report {
    my ($self) = @_;
    return $self->_ask('report');
}


# finishes the requests under way
sub stop {
    my ($self) = @_;

    my $report = $self->_ask('stop');
    $self->{process}->wait_end(5);

    return $report;
}


sub _ask {
    my ($self, $word) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my $control = $self->{control};
    print $control "$word\n";

    my $line = <$control>;
    croak "the load generator is gone" if !defined $line;

    return JSON::PP::decode_json($line);
}


# one line for people
sub summary {
    my ($report) = @_;

    my $backends = join ', ', map { "$_ $report->{backends}{$_}" }
                   sort keys %{$report->{backends}};

    return "$report->{sent} sent, $report->{ok} ok, $report->{failed} failed, "
         . "$report->{retried} retried, $report->{moved} moved ($backends)"
         . join '', map { "\n  $_" } @{$report->{errors}};
}


1;
