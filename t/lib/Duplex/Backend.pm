package Duplex::Backend;

# A backend whose behaviour a test switches at run time, and which writes
# down every request, so that a test can prove where requests and probes went.
#
# The server is a child with one select() loop (Duplex::Backend::Server); the
# test talks to it over a socketpair, and reads its log from a file.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Backend::Server;
use Duplex::Directory;
use Duplex::Ports;
use Duplex::Process;
use Duplex::Wait;
use IO::Handle;
use JSON::PP ();
use Socket;


my $count = 0;


# name:      in the header X-Backend and the body; default "b1", "b2", ...
# address:   default "127.0.0.1"
# port:      default a free one
# netns:     the network namespace it lives in
sub new {
    my ($class, %args) = @_;

    $count++;

    my $self = bless {
        name    => $args{name} || "b$count",
        ip      => $args{address} || '127.0.0.1',
        port    => $args{port} || Duplex::Ports::take(),
        netns   => $args{netns},
        rules   => {},
        read    => 0,
        log     => [],
    }, $class;

    $self->{file} = Duplex::Directory::make('backend') . '/requests';

    $self->set(%{$args{set}}) if $args{set};
    $self->start();

    return $self;
}


sub name { return $_[0]{name} }
sub port { return $_[0]{port} }
sub address { return "$_[0]{ip}:$_[0]{port}" }
sub pid { return $_[0]{process}->pid() }


# What it does from now on, as a whole (what is not named is the default):
#
#     status   => 200
#     body     => text; default "NAME\n"
#     headers  => [ 'Name: value', ... ]
#     sessions => 1       Set-Cookie: sid=NAME-RANDOM, if there was no sid
#     delay    => seconds before the answer
#     hang     => 1       reads the request and never answers
#     reset    => 1       RST instead of an answer
#     close    => 'before' | 'header' | 'body': ends the connection there
#     keepalive => 0      closes after each answer
sub set {
    my ($self, %behaviour) = @_;
    $self->set_for('', %behaviour);
}


# the same for requests whose uri begins with "prefix"; the longest one counts;
# "/health from 127.0.0.11": those of one client
sub set_for {
    my ($self, $prefix, %behaviour) = @_;

    $self->{rules}{$prefix} = \%behaviour;
    $self->_tell() if $self->is_running();
}


# closes the listening socket and all connections: clients get a RST
sub refuse {
    my ($self) = @_;
    $self->{refuse} = 1;
    $self->_tell();
}


sub accept {
    my ($self) = @_;
    $self->{refuse} = 0;
    $self->_tell();
}


sub start {
    my ($self) = @_;

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or croak "socketpair() failed: $!";

    $self->{process} = Duplex::Process->start(
        name => "backend $self->{name}",
        netns => $self->{netns},
        code => sub {
            CORE::close($ours);
            Duplex::Backend::Server->new(
                name => $self->{name}, ip => $self->{ip},
                port => $self->{port}, file => $self->{file},
                control => $theirs,
            )->run();
        },
    );

    CORE::close($theirs);
    $ours->autoflush(1);
    $self->{control} = $ours;

    $self->_tell();
}


sub is_running {
    my ($self) = @_;
    return $self->{process} && $self->{process}->is_running();
}


sub kill9 {
    my ($self) = @_;
    $self->{process}->kill_group();
}


# as a machine that hangs: connections are accepted by the kernel only
sub freeze { $_[0]{process}->signal('STOP') }
sub thaw { $_[0]{process}->signal('CONT') }


# on the same port
sub restart {
    my ($self) = @_;
    $self->kill9() if $self->is_running();
    $self->start();
}


# All requests it has read so far, in their order:
# { time, conn, peer, method, uri, status, headers }; "time" is when the
# machine received it, even if the backend read it later
#
# requests(uri => qr{^/health}, since => $time, method => 'GET')
sub requests {
    my ($self, %want) = @_;

    # "since" looks at when a request was read, which is never before it was
    # sent; {time}, when it came, is right to a few ms only

    $self->_read_log();

    return grep {
        my $r = $_;
        (!defined $want{uri} || $r->{uri} =~ $want{uri})
        && (!defined $want{method} || $r->{method} eq $want{method})
        && (!defined $want{since} || $r->{read} >= $want{since})
        && (!defined $want{cookie}
            || ($r->{headers}{cookie} // '') =~ $want{cookie})
    } @{$self->{log}};
}


sub count {
    my ($self, %want) = @_;
    return scalar(my @all = $self->requests(%want));
}


# seconds between one request and the next of those wanted, shortest first
sub gaps {
    my ($self, %want) = @_;

    my @times = map { $_->{time} } $self->requests(%want);

    return sort { $a <=> $b }
           map { $times[$_] - $times[$_ - 1] } 1 .. $#times;
}


sub _read_log {
    my ($self) = @_;

    open(my $f, '<', $self->{file}) or return;
    seek($f, $self->{read}, 0);

    while (my $line = <$f>) {
        last if $line !~ /\n\z/;                # is being written

        $self->{read} += length $line;
        chomp $line;

        my ($time, $read, $conn, $peer, $method, $uri, $status, @headers)
            = split /\t/, $line, -1;

        push @{$self->{log}}, {
            time => $time, read => $read, conn => $conn, peer => $peer,
            method => $method, uri => $uri, status => $status,
            headers => { map { /^([^:]*):(.*)/ ? ($1, $2) : () } @headers },
        };
    }
}


# returns when it is in force
sub _tell {
    my ($self) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my $control = $self->{control};
    my $text = JSON::PP::encode_json({ rules => $self->{rules},
                                       refuse => $self->{refuse} || 0 });

    print $control "$text\n";

    my $answer = <$control>;
    croak "backend \"$self->{name}\" on " . $self->address() . ': '
          . ($answer // "is gone\n")
        if !defined $answer || $answer ne "ok\n";
}


1;
