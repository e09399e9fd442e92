package Duplex::Relay;

# A wire between two nodes that a test makes bad: every connection to the
# relay's address is passed on to another one.
#
#     my $relay = Duplex::Relay->new(from => '127.0.0.41', port => $port,
#                                    to => $b->address('sync'));
#     $relay->set(both => { delay => 50, jitter => 40 });
#     $relay->set(up => { hold => 1 });      nothing is read: no byte, no end
#     $relay->set();                         good again
#
# "up" is from who dialled.  Of each direction: delay and jitter in ms for a
# chunk, chunk (bytes passed at a time), stall (percent of chunks that come
# 200 ms late, as what TCP sends again), hold.  Order is kept.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Process;
use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket;
use Time::HiRes qw/time/;


sub new {
    my ($class, %args) = @_;

    my $listen = IO::Socket::INET->new(
        LocalAddr => $args{from}, LocalPort => $args{port}, Listen => 16,
        ReuseAddr => 1) or croak "bind to $args{from}: $!";

    socketpair(my $ours, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or croak "socketpair(): $!";

    my $self = bless { control => $ours, port => $listen->sockport(),
                       ip => $args{from} }, $class;

    $self->{process} = Duplex::Process->start(name => 'relay', code => sub {
        close $ours;
        $SIG{PIPE} = 'IGNORE';
        _serve($listen, $its, $args{to});
    });

    close $listen;
    close $its;
    $ours->autoflush(1);

    return $self;
}


sub address { return "$_[0]{ip}:$_[0]{port}" }


sub set {
    my ($self, %how) = @_;

    my %both = %{$how{both} || {}};
    my $text = JSON::PP::encode_json({
        map { $_ => { %both, %{$how{$_} || {}} } } 'up', 'down'
    });

    print { $self->{control} } "$text\n";

    # it has heard
    readline $self->{control} or croak 'the relay is gone';
}


sub _serve {
    my ($listen, $control, $to) = @_;

    my %how = (up => {}, down => {});
    my @pipes;
    my $text = '';

    $listen->blocking(0);

    while (1) {
        my $now = time();
        my $wait = 1;
        my ($r, $w) = ('', '');

        vec($r, fileno $listen, 1) = 1;
        vec($r, fileno $control, 1) = 1;

        for my $pipe (@pipes) {
            my $how = $how{$pipe->{way}};

            # a held direction backs up into the sender's buffers
            vec($r, fileno $pipe->{in}, 1) = 1
                if !$how->{hold} && !$pipe->{eof} && @{$pipe->{queue}} < 64;

            my $next = $pipe->{queue}[0] or next;

            if ($how->{hold}) {
                next;

            } elsif ($next->[0] > $now) {
                $wait = $next->[0] - $now if $next->[0] - $now < $wait;

            } else {
                vec($w, fileno $pipe->{out}, 1) = 1;
            }
        }

        select($r, $w, undef, $wait) >= 0 or next;
        $now = time();

        if (vec($r, fileno $control, 1)) {
            sysread $control, $text, 4096, length $text or exit 0;

            if ($text =~ s/^(.*)\n//) {
                %how = %{JSON::PP::decode_json($1)};
                syswrite $control, "ok\n";
            }
        }

        for my $pipe (@pipes) {
            next if !vec($r, fileno $pipe->{in}, 1);

            my $how = $how{$pipe->{way}};
            my $n = sysread $pipe->{in}, my $bytes, $how->{chunk} || 16384;

            $pipe->{eof} = 1 if !$n;

            my $at = $now + (($how->{delay} || 0) + rand($how->{jitter} || 0))
                            / 1000;
            $at += 0.2 if rand(100) < ($how->{stall} || 0);
            $at = $pipe->{last} if $at < $pipe->{last};

            push @{$pipe->{queue}}, [ $pipe->{last} = $at, $n ? $bytes : undef ];
        }

        for my $pipe (@pipes) {
            next if !@{$pipe->{queue}} || !vec($w, fileno $pipe->{out}, 1);

            my $next = $pipe->{queue}[0];

            if (!defined $next->[1]) {
                shutdown($pipe->{out}, 1);
                shift @{$pipe->{queue}};
                $pipe->{done} = 1;
                next;
            }

            my $n = syswrite $pipe->{out}, $next->[1];

            if (!defined $n) {
                next if $!{EAGAIN};
                $pipe->{done} = $pipe->{peer}{done} = 1;
                next;
            }

            substr($next->[1], 0, $n, '');
            shift @{$pipe->{queue}} if !length $next->[1];
        }

        # both directions are over
        @pipes = grep { !$_->{done} || !$_->{peer}{done} } @pipes;

        if (vec($r, fileno $listen, 1) && (my $in = $listen->accept())) {
            my $out = IO::Socket::INET->new(PeerAddr => $to) or next;

            $_->blocking(0) for $in, $out;
            setsockopt($_, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1)
                for $in, $out;

            my $up = { way => 'up', in => $in, out => $out, queue => [],
                       last => 0 };
            my $down = { way => 'down', in => $out, out => $in, queue => [],
                         last => 0, peer => $up };
            $up->{peer} = $down;

            push @pipes, $up, $down;
        }
    }
}


1;
