package Duplex::Connection;

# A client's connection, to "127.0.0.1:8080" or "unix:/path": opened when it is needed, kept alive, and opened
# again when the other side has closed it in the meantime.
#
# An answer is { status, headers, cookies, body }: header names in lower
# case; status 0 and "error" if there was no complete answer.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw/IPPROTO_TCP TCP_NODELAY/;


sub new {
    my ($class, $address, %args) = @_;

    return bless {
        address => $address,
        from    => $args{from},
        timeout => $args{timeout} || 10 * ($ENV{DUPLEX_SLOW} || 1),
        in      => '',
    }, $class;
}


sub get {
    my ($self, $uri, %args) = @_;
    return $self->request('GET', $uri, %args);
}


sub request {
    my ($self, $method, $uri, %args) = @_;

    my $reused = defined $self->{socket};

    return _no_answer("connect() to $self->{address}: $!")
        if !$reused && !$self->_connect();

    local $SIG{PIPE} = 'IGNORE';

    $self->{in} = '';
    $self->{timedout} = 0;

    my $sent = syswrite($self->{socket},
        _encode($self->{address}, $method, $uri, %args));

    my $answer = defined $sent ? $self->_answer($method)
                               : _no_answer("write: $!");

    my $over = !$answer->{status} || $args{close}
        || lc($answer->{headers}{connection} // '') eq 'close';

    $self->close() if $over;

    # as browsers do: nothing of an answer on a connection used before
    if ($reused && !$answer->{status} && $self->{in} eq ''
        && !$self->{timedout})
    {
        $self->{reconnects}++;
        return $self->request($method, $uri, %args);
    }

    return $answer;
}


# bytes as they are; answers all that comes until the other side closes or
# nothing has come for "timeout" seconds
sub raw {
    my ($self, $bytes) = @_;

    return undef if !$self->_connect();

    local $SIG{PIPE} = 'IGNORE';
    syswrite($self->{socket}, $bytes);

    while ($self->_fill()) {}

    return $self->{in};
}


# the last answer ended because the other side closed
sub was_closed {
    my ($self) = @_;
    return !$self->{timedout};
}


sub close {
    my ($self) = @_;
    CORE::close(delete $self->{socket}) if $self->{socket};
}


sub reconnects {
    my ($self) = @_;
    return $self->{reconnects} || 0;
}


sub _connect {
    my ($self) = @_;

    if ($self->{address} =~ /^unix:(.+)/) {
        $self->{socket} = IO::Socket::UNIX->new(Peer => $1);
        return defined $self->{socket};
    }

    $self->{socket} = IO::Socket::INET->new(
        PeerAddr => $self->{address},
        Proto    => 'tcp',
        Timeout  => $self->{timeout},
        ($self->{from} ? (LocalAddr => $self->{from}) : ()),
    ) or return 0;

    setsockopt($self->{socket}, IPPROTO_TCP, TCP_NODELAY, 1);

    return 1;
}


sub _encode {
    my ($address, $method, $uri, %args) = @_;

    my %headers = (
        Host => $address =~ /^unix:/ ? 'localhost' : $address,
        ($args{close} ? (Connection => 'close') : ()),
        (defined $args{cookie} ? (Cookie => $args{cookie}) : ()),
        (defined $args{body} ? ('Content-Length' => length $args{body}) : ()),
        %{$args{headers} || {}},
    );

    my $text = "$method $uri HTTP/1.1\r\n";
    $text .= "$_: $headers{$_}\r\n" for sort keys %headers;

    return $text . "\r\n" . ($args{body} // '');
}


sub _answer {
    my ($self, $method) = @_;

    while ($self->{in} !~ /\r\n\r\n/) {
        $self->_fill() or return $self->_broken('header');
    }

    my ($head, $rest) = split /\r\n\r\n/, $self->{in}, 2;
    my ($line, @lines) = split /\r\n/, $head;

    my ($status) = $line =~ m{^HTTP/1\.[01] (\d{3})}
        or return _no_answer("bad status line \"$line\"");

    my (%headers, %cookies);

    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*)$/ or next;
        $headers{lc $name} = $value;
        $cookies{$1} = $2
            if lc $name eq 'set-cookie' && $value =~ /^([^=]+)=([^;]*)/;
    }

    my $body = '';

    if ($method ne 'HEAD' && $status != 204 && $status != 304) {
        $body = $self->_body(\%headers, length($head) + 4);
        return $self->_broken('body') if !defined $body;
    }

    return { status => $status + 0, headers => \%headers,
             cookies => \%cookies, body => $body };
}


sub _body {
    my ($self, $headers, $start) = @_;

    if (defined(my $length = $headers->{'content-length'})) {
        while (length($self->{in}) < $start + $length) {
            $self->_fill() or return undef;
        }
        return substr($self->{in}, $start, $length);
    }

    if (lc($headers->{'transfer-encoding'} // '') eq 'chunked') {
        my ($body, $at) = ('', $start);

        while (1) {
            pos($self->{in}) = $at;

            if ($self->{in} !~ /\G([0-9a-fA-F]+)\r\n/g) {
                $self->_fill() or return undef;
                next;
            }

            my ($size, $data) = (hex $1, pos $self->{in});

            while (length($self->{in}) < $data + $size + 2) {
                $self->_fill() or return undef;
            }

            return $body if $size == 0;

            $body .= substr($self->{in}, $data, $size);
            $at = $data + $size + 2;
        }
    }

    while ($self->_fill()) {}
    return $self->{timedout} ? undef : substr($self->{in}, $start);
}


sub _fill {
    my ($self) = @_;

    my $ready = IO::Select->new($self->{socket})->can_read($self->{timeout});

    if (!$ready) {
        $self->{timedout} = 1;
        return 0;
    }

    my $n = sysread($self->{socket}, $self->{in}, 65536, length $self->{in});
    $self->{broken} = $! if !defined $n;

    return $n;
}


sub _broken {
    my ($self, $where) = @_;

    my $how = $self->{timedout} ? 'timed out' : 'closed';
    return _no_answer("$how in $where after " . length($self->{in})
                      . ' bytes');
}


sub _no_answer {
    my ($error) = @_;
    return { status => 0, headers => {}, cookies => {}, body => '',
             error => $error };
}


1;
