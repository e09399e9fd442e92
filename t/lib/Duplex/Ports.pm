package Duplex::Ports;

# TCP ports that nobody else uses: each name gets a port, and keeps it.
#
# A test process owns a block of ports below the ephemeral range, so that no
# outgoing connection can take one between two starts of a node.  The block's
# lock is a name in the abstract unix namespace: it is given back by the
# kernel when the test and its children are gone, and leaves no file.

use strict;
use warnings;

use Carp qw/croak/;
use IO::Socket::INET;
use Socket qw/AF_UNIX SOCK_STREAM SOMAXCONN pack_sockaddr_un/;

use constant {
    FIRST => 23000,
    LAST  => 32699,
    BLOCK => 50,
};

my ($lock, $next, $end, $owner);


sub new {
    my ($class) = @_;
    return bless { port => {} }, $class;
}


# the port called "name", free on all addresses when it was chosen
sub port {
    my ($self, $name) = @_;
    return $self->{port}{$name} //= take();
}


sub take {
    croak "a child must not choose ports" if defined $owner && $owner != $$;

    _lock_block() if !defined $lock;

    while ($next < $end) {
        my $port = $next++;
        return $port if is_free($port);
    }

    # a test that needs more goes on with another block
    undef $lock;
    return take();
}


sub is_free {
    my ($port) = @_;

    my $s = IO::Socket::INET->new(
        LocalAddr => '0.0.0.0',
        LocalPort => $port,
        Proto     => 'tcp',
        Listen    => 1,
        ReuseAddr => 1,
    );

    return defined $s;
}


my @locks;

sub _lock_block {
    my $blocks = int((LAST - FIRST + 1) / BLOCK);
    my $start = $$ % $blocks;

    for my $i (0 .. $blocks - 1) {
        my $block = ($start + $i) % $blocks;

        socket(my $s, AF_UNIX, SOCK_STREAM, 0) or croak "socket(): $!";

        next if !bind($s, pack_sockaddr_un("\0duplex-test-ports-$block"));

        ($lock, $owner) = ($s, $$);
        push @locks, $s;

        $next = FIRST + $block * BLOCK;
        $end = $next + BLOCK;

        return;
    }

    croak "all port blocks are taken";
}


1;
