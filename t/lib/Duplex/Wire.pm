package Duplex::Wire;

# The synchronisation protocol as docs/sync-protocol.md has it, for nodes that
# are none: what a test writes and reads as a dialler.
#
#     my $wire = Duplex::Wire->new($node->address('sync'), name => 'x');
#     my $answer = $wire->handshake(secret => '...');    WELCOME or REFUSE
#     $wire->send(PING, pack 'N', 0xffffffff);
#     my ($type, $payload) = $wire->recv();              () at the end
#
# With a secret, each frame after the handshake carries its code.

use strict;
use warnings;

use Carp qw/croak/;
use Compress::Zlib qw/crc32/;
use Digest::SHA qw/hmac_sha256 sha256/;
use Exporter qw/import/;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw/time/;

our %TYPE = (
    HELLO => 1, WELCOME => 2, REFUSE => 3, TABLE => 4, RECORDS => 5, ACK => 6,
    SYNCED => 7, PING => 8, PONG => 9, BYE => 10, AUTH => 11,
);

for my $name (keys %TYPE) {
    my $type = $TYPE{$name};
    no strict 'refs';
    *$name = sub () { $type };
}

our @EXPORT_OK = (keys %TYPE, qw/frame hello key/);
our %EXPORT_TAGS = (all => \@EXPORT_OK);


sub frame {
    my ($type, $payload, $flags) = @_;

    my $header = pack('NCCn', length $payload, $type, $flags || 0, 0);
    return $header . pack('N', crc32($header . $payload)) . $payload;
}


# the payload: name, cluster, lowest, highest, incarnation, clock (ms),
# nonce, keys
sub hello {
    my (%args) = @_;

    return 'NGXDUPLX' . pack('nn Q> Q> C/a* C/a* C/a* C/a*',
        $args{lowest} || 1, $args{highest} || 1, $args{incarnation} || 7,
        ($args{clock} || int(time() * 1000)) << 16,
        defined $args{name} ? $args{name} : 'x', $args{cluster} || '',
        $args{nonce} || '', $args{keys} || '');
}


# (id, key) of a line of a secret's file
sub key {
    my ($line) = @_;

    return (substr(hmac_sha256("nginx-duplex name\0", $line), 0, 4),
            hmac_sha256("nginx-duplex key\0", $line));
}


# from => a local address, timeout
sub new {
    my ($class, $address, %args) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => $address, Timeout => 5,
        $args{from} ? (LocalAddr => $args{from}) : (),
    ) or croak "connect to $address: $!";

    return bless { socket => $socket, buf => '', timeout => 3, %args },
                 $class;
}


# what is to be said in HELLO, and secret => '...'; (type, payload) of the
# answer.  With break => sub { ... } the proof passes through it.
sub handshake {
    my ($self, %args) = @_;

    my ($id, $key);

    if (defined $args{secret}) {
        ($id, $key) = key($args{secret});
        $args{nonce} = join '', map { chr int rand 256 } 1 .. 16;
        $args{keys} = $id;
    }

    my $hello = hello(name => $self->{name}, %args);
    $self->write(frame(HELLO(), $hello));

    my ($type, $welcome) = $self->recv();

    return ($type, $welcome) if !$type || $type != WELCOME() || !defined $id;

    my ($version, $incarnation, $clock, $node, $nonce, $theirs, $proof)
        = unpack 'n Q> Q> C/a* C/a* C/a* C/a*', $welcome;

    return ($type, $welcome) if !length $proof;

    my $transcript = sha256($hello)
        . sha256(substr($welcome, 0, -length $proof) . "\0" x length $proof)
        . "\0" x 32;

    $self->{trusted} = $proof eq hmac_sha256(
        "nginx-duplex proof of acceptor\0$transcript", $key);

    my $mine = hmac_sha256("nginx-duplex proof of dialler\0$transcript", $key);
    $mine = $args{break}->($mine, $proof) if $args{break};

    $self->write(frame(AUTH(), $mine));

    $self->{out} = hmac_sha256("nginx-duplex frames of dialler\0$transcript",
                               $key);
    $self->{in} = hmac_sha256("nginx-duplex frames of acceptor\0$transcript",
                              $key);
    $self->{sent} = $self->{received} = 0;

    return ($type, $welcome);
}


# a whole frame, with its code if there is one
sub sealed {
    my ($self, $frame) = @_;

    return $frame if !$self->{out};

    return $frame . substr hmac_sha256($frame . pack('Q> Q>', 0,
                                                     $self->{sent}++),
                                       $self->{out}), 0, 16;
}


sub send {
    my ($self, $type, $payload, $flags) = @_;
    return $self->write($self->sealed(frame($type, $payload, $flags)));
}


# all bytes, or false if the other side has closed
sub write {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes or return 0;
        substr($bytes, 0, $n, '');
    }

    return 1;
}


# (type, payload, flags), () when the other side closed or said nothing
sub recv {
    my ($self) = @_;

    my $trailer = $self->{in} ? 16 : 0;
    my $until = time() + $self->{timeout};

    while (1) {
        if (length $self->{buf} >= 12) {
            my ($len, $type, $flags) = unpack 'NCC', $self->{buf};

            if (length $self->{buf} >= 12 + $len + $trailer) {
                my $frame = substr $self->{buf}, 0, 12 + $len, '';
                my $code = substr $self->{buf}, 0, $trailer, '';

                croak 'bad code' if $trailer && $code ne substr hmac_sha256(
                    $frame . pack('Q> Q>', 0, $self->{received}++),
                    $self->{in}), 0, 16;

                return ($type, substr($frame, 12), $flags);
            }
        }

        my $left = $until - time();

        return if $left <= 0
                  || !IO::Select->new($self->{socket})->can_read($left)
                  || !sysread $self->{socket}, $self->{buf}, 65536,
                              length $self->{buf};
    }
}


# the other side closes, whatever it still says
sub is_closed {
    my ($self) = @_;

    1 while $self->recv();

    return eof_of($self->{socket});
}


sub eof_of {
    my ($socket) = @_;

    return 0 if !IO::Select->new($socket)->can_read(0);

    my $n = sysread $socket, my $byte, 1;
    return !$n;
}


sub close {
    my ($self) = @_;
    close $self->{socket};
}


1;
