package Duplex::Crowd;

# Many requests at once, each on a connection of its own, all of them waiting
# for their answers.
#
#     my $crowd = Duplex::Crowd->new($address);
#     my @clients = $crowd->send(40, '/job');    # in this order
#     $crowd->leave($clients[3]);                # closes its connection
#     my @answers = $crowd->answers(10);         # all others', by client
#
# An answer is { status, body, time }, or {} for one that got none in time.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw/time/;


sub new {
    my ($class, $address) = @_;
    return bless { address => $address, clients => [] }, $class;
}


sub send {
    my ($self, $n, $uri, %args) = @_;

    my @new;
    my $method = $args{method} || 'GET';
    my $body = $args{body} // '';
    my $length = length $body ? 'Content-Length: ' . length($body) . "\r\n"
                              : '';

    for my $i (1 .. $n) {
        my $socket = IO::Socket::INET->new(PeerAddr => $self->{address})
            or die "$self->{address}: $!";

        my $text = "$method $uri HTTP/1.1\r\nHost: crowd\r\n"
                   . "Connection: close\r\n$length\r\n$body";
        syswrite($socket, $text) == length $text or die "write: $!";

        push @new, { socket => $socket, in => '' };
    }

    push @{$self->{clients}}, @new;
    return @new;
}


sub leave {
    my ($self, @clients) = @_;
    close(delete $_->{socket}) for @clients;
}


sub answers {
    my ($self, $limit) = @_;

    my $until = time() + $limit * ($ENV{DUPLEX_SLOW} || 1);

    while (my @open = grep { $_->{socket} } @{$self->{clients}}) {
        my %by = map { fileno($_->{socket}) => $_ } @open;
        my $left = $until - time();

        last if $left <= 0;

        for my $socket (IO::Select->new(map { $_->{socket} } @open)
                        ->can_read($left))
        {
            my $client = $by{fileno($socket)};

            next if sysread($socket, $client->{in}, 65536,
                            length $client->{in});
            close(delete $client->{socket});
            $client->{time} = time();
        }
    }

    return map { _answer($_) } @{$self->{clients}};
}


sub _answer {
    my ($client) = @_;

    my ($status, $body) = $client->{in} =~
        m{^HTTP/1\.1 (\d{3}).*?\r\n\r\n(.*)}s or return {};

    return { status => $status, body => $body, time => $client->{time} };
}


1;
