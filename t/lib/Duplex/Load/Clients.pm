package Duplex::Load::Clients;

# The clients of a Duplex::Load, in a child process: one select() loop, one
# request under way per client.  See Duplex::Load for what they can do.

use strict;
use warnings;

use Errno qw/EINPROGRESS EAGAIN/;
use Fcntl qw/F_GETFL F_SETFL O_NONBLOCK/;
use JSON::PP ();
use POSIX ();
use Socket qw/:DEFAULT IPPROTO_TCP TCP_NODELAY/;
use Time::HiRes qw/time/;

use constant {
    TIMEOUT => 20,      # s, of one try
    PAUSE   => 0.05,    # s, between tries of a patient client
};


sub new {
    my ($class, %args) = @_;

    my @targets = map {
        my ($ip, $port) = split /:/;
        { name => $_, sockaddr => pack_sockaddr_in($port, inet_aton($ip)) }
    } @{$args{targets}};

    my $n = $args{clients} || 4;

    my $self = bless {
        %args,
        targets => \@targets,
        uri => $args{uri} || '/',
        pause => $n / ($args{rate} || 300),
        report => { sent => 0, ok => 0, failed => 0, retried => 0,
                    moved => 0, backends => {}, statuses => {},
                    errors => [], sessions => {} },
    }, $class;

    my $now = time();

    # { s, fd, target, state, out, in, due, until, used, tries, cookie, home }
    $self->{clients} = [ map { { number => $_, target => $_ % @targets,
        due => $now + $self->{pause} * $_ / $n, state => 'idle' } }
        0 .. $n - 1 ];

    return $self;
}


sub run {
    my ($self) = @_;

    $SIG{PIPE} = 'IGNORE';

    my $control = fileno $self->{control};

    while (1) {
        my ($in, $out) = ('', '');
        my $now = time();
        my $next = $now + 1;
        my $busy = 0;

        vec($in, $control, 1) = 1;

        for my $c (@{$self->{clients}}) {
            if ($c->{state} eq 'idle') {
                next if $self->{stopping};

                $self->_begin($c) if $c->{due} <= $now;

            } elsif ($c->{state} eq 'pausing') {
                $self->_try($c) if $c->{until} <= $now;
            }

            if ($c->{state} eq 'idle') {
                $next = $c->{due} if $c->{due} < $next;
                next;
            }

            $busy++;
            $next = $c->{until} if $c->{until} < $next;
            next if $c->{state} eq 'pausing';
            vec($c->{state} eq 'reading' ? $in : $out, $c->{fd}, 1) = 1;
        }

        if ($self->{stopping} && !$busy) {
            $self->_tell_report();
            return;
        }

        my $wait = $next - time();
        my $n = select($in, $out, undef, $wait > 0 ? $wait : 0);
        next if $n < 0;

        $self->_control() if vec($in, $control, 1);

        $now = time();

        for my $c (@{$self->{clients}}) {
            next if $c->{state} =~ /^(?:idle|pausing)$/;

            if (vec($out, $c->{fd}, 1) && $c->{state} ne 'reading') {
                $self->_write($c);

            } elsif (vec($in, $c->{fd}, 1) && $c->{state} eq 'reading') {
                $self->_read($c);

            } elsif ($c->{until} <= $now) {
                $self->_lost($c, 'timed out');
            }
        }
    }
}


sub _control {
    my ($self) = @_;

    my $n = sysread($self->{control}, my $text, 4096);
    POSIX::_exit(0) if !$n;

    for (split /\n/, $text) {
        if ($_ eq 'stop') {
            $self->{stopping} = 1;

        } else {
            $self->_tell_report();
        }
    }
}


sub _tell_report {
    my ($self) = @_;

    my $text = JSON::PP::encode_json($self->{report}) . "\n";

    while (length $text) {
        my $n = syswrite($self->{control}, $text) or return;
        $text = substr($text, $n);
    }
}


# a new request
sub _begin {
    my ($self, $c) = @_;

    $self->{report}{sent}++;

    ($c->{uri} = $self->{uri}) =~ s/%r/$self->{report}{sent}/;
    $c->{tries} = 0;
    $c->{patient} = time() + ($self->{patience} || 0);
    $c->{due} += $self->{pause};
    $c->{due} = time() if $c->{due} < time() - 1;   # no burst after a stall

    $self->_try($c);
}


sub _try {
    my ($self, $c) = @_;

    my $target = $self->{targets}[$c->{target}];

    $c->{tries}++;
    $c->{in} = '';
    $c->{until} = time() + ($self->{timeout} || TIMEOUT);
    $c->{out} = "GET $c->{uri} HTTP/1.1\r\nHost: $target->{name}\r\n"
        . ($self->{keepalive} ? '' : "Connection: close\r\n")
        . ($c->{cookie} ? "Cookie: sid=$c->{cookie}\r\n" : '') . "\r\n";

    $c->{reused} = defined $c->{s};

    if ($c->{reused}) {
        $c->{state} = 'writing';
        return $self->_write($c);
    }

    socket($c->{s}, PF_INET, SOCK_STREAM, 0) or die "socket(): $!\n";
    $c->{fd} = fileno $c->{s};
    fcntl($c->{s}, F_SETFL, fcntl($c->{s}, F_GETFL, 0) | O_NONBLOCK);
    setsockopt($c->{s}, IPPROTO_TCP, TCP_NODELAY, 1);

    $c->{state} = 'connecting';

    return if connect($c->{s}, $target->{sockaddr}) || $! == EINPROGRESS;

    $self->_lost($c, "connect: $!");
}


sub _write {
    my ($self, $c) = @_;

    if ($c->{state} eq 'connecting') {
        my $error = unpack('i', getsockopt($c->{s}, SOL_SOCKET, SO_ERROR));

        if ($error) {
            local $! = $error;
            return $self->_lost($c, "connect: $!");
        }

        $c->{state} = 'writing';
    }

    my $n = syswrite($c->{s}, $c->{out});

    if (!defined $n) {
        return if $! == EAGAIN;
        return $self->_lost($c, "write: $!");
    }

    $c->{out} = substr($c->{out}, $n);
    $c->{state} = 'reading' if $c->{out} eq '';
}


sub _read {
    my ($self, $c) = @_;

    my $n = sysread($c->{s}, $c->{in}, 65536, length $c->{in});

    if (!defined $n) {
        return if $! == EAGAIN;
        return $self->_lost($c, "read: $!");
    }

    my $whole = _is_whole($c->{in}, $n == 0);

    return $self->_done($c) if $whole;

    $self->_lost($c, length $c->{in} ? 'closed inside the answer'
                                     : 'closed before the answer')
        if $n == 0;
}


sub _is_whole {
    my ($in, $closed) = @_;

    my $end = index($in, "\r\n\r\n");
    return 0 if $end < 0;

    my $head = substr($in, 0, $end + 2);

    return length($in) >= $end + 4 + $1
        if $head =~ /^Content-Length: (\d+)\r$/mi;

    return $in =~ /\r\n0\r\n\r\n\z/
        if $head =~ /^Transfer-Encoding: chunked\r$/mi;

    return $closed;
}


# no complete answer
sub _lost {
    my ($self, $c, $why) = @_;

    my $report = $self->{report};
    my $fresh = !$c->{reused};

    _close($c);

    # nothing of an answer on a connection used before: always sent again
    if (!$fresh && $c->{in} eq '' && $why ne 'timed out') {
        $report->{retried}++;
        $c->{tries}--;
        return $self->_try($c);
    }

    if ($c->{tries} <= ($self->{retry} || 0)) {
        $report->{retried}++;
        $c->{target} = ($c->{target} + 1) % @{$self->{targets}};
        return $self->_try($c);
    }

    $self->_failed($c, $why);
}


sub _done {
    my ($self, $c) = @_;

    my $report = $self->{report};

    my ($status) = $c->{in} =~ m{^HTTP/1\.[01] (\d{3})};
    my ($head) = split /\r\n\r\n/, $c->{in}, 2;

    _close($c) if !$self->{keepalive} || $head =~ /^Connection: close/mi;

    $status //= 0;
    $report->{statuses}{$status}++;

    return $self->_failed($c, "status $status")
        if $status < 200 || $status > 399;

    $report->{ok}++;

    my ($backend) = $head =~ /^X-Backend: (\S+)\r?$/mi;
    $report->{backends}{$backend}++ if defined $backend;

    $self->_keep_session($c, $head, $backend) if $self->{sessions};

    $self->_next($c);
}


sub _keep_session {
    my ($self, $c, $head, $backend) = @_;

    my $report = $self->{report};

    if ($head =~ /^Set-Cookie: sid=([^;\r]+)/mi) {
        $c->{cookie} = $1;
        $c->{home} = $backend;

    } elsif (defined $c->{home} && $backend ne $c->{home}) {
        $report->{moved}++;
        $self->_note("$c->{cookie} moved to $backend from $c->{home}");
        $c->{home} = $backend;
    }

    $report->{sessions}{$c->{cookie}} = $c->{home} if defined $c->{cookie};
}


sub _failed {
    my ($self, $c, $why) = @_;

    if (time() < $c->{patient}) {
        $self->{report}{retried}++;
        $c->{state} = 'pausing';
        $c->{until} = time() + PAUSE;
        return;
    }

    $self->{report}{failed}++;
    $self->_note("$self->{targets}[$c->{target}]{name}: $why");
    $self->_next($c);
}


sub _note {
    my ($self, $text) = @_;

    my $errors = $self->{report}{errors};
    push @$errors, sprintf('%.3f %s', time(), $text) if @$errors < 10;
}


# a connection per request goes to all targets in turn
sub _next {
    my ($self, $c) = @_;

    $c->{state} = 'idle';
    $c->{target} = ($c->{target} + 1) % @{$self->{targets}} if !$c->{s};
}


sub _close {
    my ($c) = @_;
    close(delete $c->{s}) if $c->{s};
}


1;
