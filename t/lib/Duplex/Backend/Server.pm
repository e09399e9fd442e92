package Duplex::Backend::Server;

# The server of a Duplex::Backend, in a child process: HTTP/1.1 with kept
# connections in one select() loop.  Behaves as the last line on the control
# socket says (see Duplex::Backend::set()), and logs each request when it has
# been read.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Socket qw/SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY/;
use Time::HiRes qw/time/;

use constant {
    TCP_INFO       => 11,
    LAST_DATA_RECV => 52,       # in struct tcp_info: u32, ms ago
};

my %REASON = (200 => 'OK', 204 => 'No Content', 302 => 'Found',
              404 => 'Not Found', 500 => 'Internal Server Error',
              503 => 'Service Unavailable');


sub new {
    my ($class, %args) = @_;

    # connections by file number: { s, id, peer, in, due, request }
    return bless { %args, conn => {}, last_id => 0, rules => {},
                   control_in => '', serial => 0 }, $class;
}


sub run {
    my ($self) = @_;

    $SIG{PIPE} = 'IGNORE';
    srand($$ ^ int(time() * 1000));

    open($self->{log}, '>>', $self->{file}) or die "$self->{file}: $!\n";

    while (1) {
        my $in = '';
        vec($in, fileno $self->{control}, 1) = 1;
        vec($in, fileno $self->{listen}, 1) = 1 if $self->{listen};

        my $now = time();
        my $wait = undef;

        for my $c (values %{$self->{conn}}) {
            vec($in, fileno $c->{s}, 1) = 1;

            next if !defined $c->{due};
            my $left = $c->{due} > $now ? $c->{due} - $now : 0;
            $wait = $left if !defined $wait || $left < $wait;
        }

        my $n = select($in, undef, undef, $wait);
        next if $n < 0;

        if ($n > 0) {
            $self->_control() if vec($in, fileno $self->{control}, 1);

            for my $fd (my @fds = keys %{$self->{conn}}) {
                my $c = $self->{conn}{$fd};
                $self->_read($c) if $c && vec($in, $fd, 1);
            }

            $self->_accept()
                if $self->{listen} && vec($in, fileno $self->{listen}, 1);
        }

        $now = time();

        for my $c (my @all = values %{$self->{conn}}) {
            $self->_answer($c) if defined $c->{due} && $c->{due} <= $now;
        }
    }
}


sub _control {
    my ($self) = @_;

    my $n = sysread($self->{control}, $self->{control_in}, 65536,
                    length $self->{control_in});
    POSIX::_exit(0) if !$n;

    while ($self->{control_in} =~ s/^([^\n]*)\n//) {
        my $order = JSON::PP::decode_json($1);

        $self->{rules} = $order->{rules};
        my $error = $order->{refuse} ? $self->_refuse() : $self->_listen();

        syswrite($self->{control}, $error ? "$error\n" : "ok\n");
    }
}


sub _listen {
    my ($self) = @_;

    return '' if $self->{listen};

    $self->{listen} = IO::Socket::INET->new(
        LocalAddr => $self->{ip}, LocalPort => $self->{port},
        Proto => 'tcp', Listen => 512, ReuseAddr => 1,
    ) or return "bind() failed: $!";

    $self->{listen}->blocking(0);
    return '';
}


sub _refuse {
    my ($self) = @_;

    close(delete $self->{listen}) if $self->{listen};
    $self->_reset($_) for my @all = values %{$self->{conn}};
    return '';
}


sub _accept {
    my ($self) = @_;

    while (my $s = $self->{listen}->accept()) {
        $s->blocking(0);
        setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);

        $self->{conn}{fileno $s} = {
            s => $s, id => ++$self->{last_id}, in => '',
            peer => ($s->peerhost() // '?') . ':' . ($s->peerport() // '?'),
        };
    }
}


sub _read {
    my ($self, $c) = @_;

    my $n = sysread($c->{s}, $c->{in}, 65536, length $c->{in});

    return if !defined $n && $!{EAGAIN};
    return $self->_close($c) if !$n;

    $c->{arrived} = _arrival($c->{s});

    $self->_next_request($c) if !$c->{request};
}


# On a busy machine this process may run late; the kernel knows when the data
# came.  It counts in ticks of a few ms: less is no lateness.
sub _arrival {
    my ($s) = @_;

    my $info = getsockopt($s, IPPROTO_TCP, TCP_INFO);
    my $ago = defined $info && length $info >= LAST_DATA_RECV + 4
              ? unpack('L', substr($info, LAST_DATA_RECV, 4)) : 0;

    return time() - ($ago > 4 && $ago < 10000 ? $ago / 1000 : 0);
}


sub _next_request {
    my ($self, $c) = @_;

    my $end = index($c->{in}, "\r\n\r\n");
    return if $end < 0;

    my ($line, @lines) = split /\r\n/, substr($c->{in}, 0, $end);
    my ($method, $uri) = split / /, $line;

    my %headers;
    for (@lines) {
        $headers{lc $1} = $2 if /^([^:]+):\s*(.*)$/;
    }

    my $size = $end + 4 + ($headers{'content-length'} || 0);
    return if length($c->{in}) < $size;

    $c->{in} = substr($c->{in}, $size);

    my $rule = $self->_rule($uri, $c->{peer});

    $c->{request} = { method => $method, uri => $uri, rule => $rule,
                      headers => \%headers };
    $c->{due} = $rule->{hang} ? undef : time() + ($rule->{delay} || 0);

    $self->_log($c, $rule);
}


sub _rule {
    my ($self, $uri, $peer) = @_;

    my ($best) = sort { length $b <=> length $a } grep {
        my ($prefix, $from) = split / from /;
        index($uri, $prefix // '') == 0
            && (!$from || index($peer, "$from:") == 0)
    } keys %{$self->{rules}};

    return defined $best ? $self->{rules}{$best} : {};
}


sub _log {
    my ($self, $c, $rule) = @_;

    my $r = $c->{request};
    my $h = $r->{headers};
    my $what = $rule->{hang} ? 'hang' : $rule->{reset} ? 'reset'
             : $rule->{close} ? "close" : $rule->{status} || 200;

    my $text = join "\t", sprintf('%.6f', $c->{arrived}),
                    sprintf('%.6f', time()), $c->{id}, $c->{peer},
                    $r->{method}, $r->{uri}, $what,
                    map { "$_:$h->{$_}" } sort keys %$h;

    syswrite($self->{log}, "$text\n");
}


sub _answer {
    my ($self, $c) = @_;

    my $r = delete $c->{request};
    my $rule = $r->{rule};
    $c->{due} = undef;

    return $self->_reset($c) if $rule->{reset};

    my $close = $rule->{close} // '';
    return $self->_close($c) if $close eq 'before';

    my $keep = !$close && ($rule->{keepalive} // 1)
               && lc($r->{headers}{connection} // '') ne 'close';

    my $status = $rule->{status} || 200;
    my $body = $rule->{body} // "$self->{name}\n";

    my $head = "HTTP/1.1 $status " . ($REASON{$status} || 'Status') . "\r\n"
        . "X-Backend: $self->{name}\r\n"
        . ($keep ? "Connection: keep-alive\r\n" : "Connection: close\r\n")
        . 'Content-Length: ' . length($body) . "\r\n";

    $head .= "$_\r\n" for @{$rule->{headers} || []};

    if ($rule->{sessions}
        && ($r->{headers}{cookie} // '') !~ /(?:^|;\s*)sid=/)
    {
        $head .= sprintf("Set-Cookie: sid=%s-%d-%08x%08x\r\n",
            $self->{name}, ++$self->{serial}, rand(2 ** 32), rand(2 ** 32));
    }

    my $text = $head . "\r\n" . ($r->{method} eq 'HEAD' ? '' : $body);

    $text = substr($text, 0, length($head) - 5) if $close eq 'header';
    $text = substr($text, 0, length($text) - 1 - length($body) / 2)
        if $close eq 'body';

    _write($c->{s}, $text);

    return $self->_close($c) if !$keep;

    $self->_next_request($c);
}


sub _write {
    my ($s, $text) = @_;

    $s->blocking(1);

    while (length $text) {
        my $n = syswrite($s, $text);
        last if !defined $n;
        $text = substr($text, $n);
    }

    $s->blocking(0);
}


sub _reset {
    my ($self, $c) = @_;

    setsockopt($c->{s}, SOL_SOCKET, SO_LINGER, pack('II', 1, 0));
    $self->_close($c);
}


sub _close {
    my ($self, $c) = @_;

    delete $self->{conn}{fileno $c->{s}};
    close($c->{s});
}


1;
