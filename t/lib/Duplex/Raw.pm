package Duplex::Raw;

# Servers that send what a test says, byte by byte: one child for each.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Ports;
use Duplex::Process;
use IO::Socket::INET;

my @processes;


# Calls "code" with each connection, one after the other, and closes it.
# Answers the address.
sub tcp {
    my ($name, $code, %args) = @_;

    my $s = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => Duplex::Ports::take(),
        Listen => $args{listen} || 16, ReuseAddr => 1)
        or croak "bind: $!";

    return _serve($name, $s, sub {
        while (my $c = $s->accept()) {
            $c->autoflush(1);
            $code->($c);
            close($c);
        }
    });
}


# Calls "code" with each datagram; what it answers is sent back.
sub udp {
    my ($name, $code) = @_;

    my $s = IO::Socket::INET->new(Proto => 'udp',
        LocalAddr => '127.0.0.1', LocalPort => Duplex::Ports::take())
        or croak "bind: $!";

    return _serve($name, $s, sub {
        while (defined $s->recv(my $text, 65536)) {
            $s->send($_) for $code->($text);
        }
    });
}


# an address where nobody listens
sub nobody { return '127.0.0.1:' . Duplex::Ports::take() }


sub _serve {
    my ($name, $s, $code) = @_;

    my $address = '127.0.0.1:' . $s->sockport();

    push @processes, Duplex::Process->start(name => $name, code => sub {
        $SIG{PIPE} = 'IGNORE';
        $code->();
    });

    close($s);

    return $address;
}


1;
