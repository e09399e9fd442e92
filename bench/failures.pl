#!/usr/bin/perl

# How long requests still go to a server that was killed or hangs: from then
# to the start of the last request that was sent there, by health checks alone
# (no retries, no passive marking); interval 1 s, one failure is enough.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Bench;
use IO::Select;
use IO::Socket::INET;


use constant RATE => 200;                       # requests a second
use constant TIMES => $ENV{BENCH_TIMES} || 9;

my $good = start_backend(address => '127.0.0.31');
my $bad = start_backend(address => '127.0.0.32', port => $good->port());
my $port = $good->port();

sub nginx_front {
    my ($more) = @_;

    my %vars = (port => $port, more => $more,
                connection => $more ? '""' : 'close');

    my $node = nginx(<<'EOC', vars => \%vars);
%%MAIN%%

events {
    worker_connections 4096;
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.31:%%port%% max_fails=0;
        server 127.0.0.32:%%port%% max_fails=0;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_next_upstream off;
            proxy_connect_timeout 333ms;
            proxy_send_timeout 333ms;
            proxy_read_timeout 333ms;
            proxy_http_version 1.1;
            proxy_set_header Connection %%connection%%;
            health_check interval=1s uri=/health %%more%%;
        }
    }
}
EOC

    return ($node->address('front'), sub { $node->stop() });
}

sub haproxy_front {
    my $front = '127.0.0.1:' . Duplex::Ports::take();

    my $process = haproxy(<<"EOC");
defaults
    mode http
    retries 0
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    timeout check 1s
listen app
    bind $front
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host x
    server good 127.0.0.31:$port check inter 1s fall 1
    server bad 127.0.0.32:$port check inter 1s fall 1
EOC

    return ($front, sub {
        $process->signal('KILL');
        wait_for { !$process->is_running() } 10, 'the end of haproxy';
    });
}

# ms from the fault to the start of the last request that failed; 0: none
sub last_failure {
    my ($front, $signal, $length) = @_;

    my $select = IO::Select->new();
    my (%began, $last);
    my $start = time();

    # at any point of the interval
    my $fault = 1.2 + rand 1;
    my $done = 0;
    my $next = $start;

    while (time() < $start + $fault + $length) {
        my $now = time();

        if (!$done && $now >= $start + $fault) {
            $bad->signal($signal);
            $done = time();
        }

        if ($now >= $next) {
            $next += 1 / RATE;

            my $s = IO::Socket::INET->new(PeerAddr => $front) or next;
            $began{$s} = time();
            print $s "GET / HTTP/1.0\r\nHost: x\r\n\r\n";
            $select->add($s);
        }

        for my $s ($select->can_read($next > $now ? $next - $now : 0)) {
            sysread($s, my $answer, 4096);
            my $t = delete $began{$s};

            $last = $t if $done && ($answer // '') !~ m{^HTTP/1.. 200}
                          && (!$last || $t > $last);

            $select->remove($s);
            close($s);
        }
    }

    return $last ? ($last - $done) * 1000 : 0;
}

sub heal {
    my ($signal) = @_;

    if ($signal eq 'STOP') {
        $bad->signal('CONT');

    } else {
        $bad = start_backend(address => '127.0.0.32', port => $port);
    }

    sleep 2;
}

sub measure {
    my ($signal, $length, $front, $stop) = @_;
    my @ms;

    sleep 2;

    for (1 .. TIMES) {
        push @ms, last_failure($front, $signal, $length);
        heal($signal);
    }

    $stop->();

    return median(@ms);
}


for ([ KILL => 'killed', 2, 0.1 ], [ STOP => 'hangs', 4, 1 ]) {
    my ($signal, $what, $length, $goal) = @$_;

    my $haproxy = measure($signal, $length, haproxy_front());

    row(point => "server $what, to the last request",
        figure => measure($signal, $length, nginx_front('')), unit => 'ms',
        reference => [ 'haproxy', $haproxy ], goal => 1);

    row(point => '  with keepalive_time',
        figure => measure($signal, $length,
                          nginx_front('keepalive_time=60s')), unit => 'ms',
        reference => [ 'haproxy', $haproxy ], goal => $goal);
}
