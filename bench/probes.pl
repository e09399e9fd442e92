#!/usr/bin/perl

# What a probe costs: CPU of nginx, of HAProxy and of the least that a prober
# must do, at the same rates; and whether the probes that are wanted are made.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Bench;


use constant SERVERS => 1000;

my $backend = start_backend();
my $port = $backend->port();

# 127.1.0.1, 127.1.0.2, ...
my @servers = map { '127.1.' . ($_ >> 8) . '.' . ($_ & 255) . ":$port" }
              1 .. SERVERS;

my $conf = <<'EOC';
%%MAIN%%
duplex_store_size 16m;
worker_rlimit_nofile 60000;

events {
    worker_connections 8192;
}

http {
    %%HTTP%%

    upstream app {
        zone app 4m;
        %%servers%%
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection %%connection%%;
            health_check interval=%%interval%% uri=/health %%more%%;
        }
    }
}
EOC

# (microseconds of CPU per probe, probes per second)
sub measure {
    my ($pid) = @_;

    my ($cpu, $n, $t) = (cpu_us($pid), scalar $backend->count(), time());
    sleep seconds();

    my $made = $backend->count() - $n;
    return ((cpu_us($pid) - $cpu) / ($made || 1), $made / (time() - $t));
}

sub nginx_probes {
    my ($interval, $more) = @_;

    my $node = nginx($conf, vars => {
        interval => $interval . 'ms', more => $more,
        connection => $more ? '""' : 'close',
        servers => join("\n", map { "server $_;" } @servers) });

    sleep 3;
    my @result = measure($node->workers());
    $node->stop();

    return @result;
}

sub haproxy_probes {
    my ($interval) = @_;

    my $process = haproxy(<<"EOC" . join '', map { <<"EOS" } 0 .. $#servers);
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
listen app
    bind 127.0.0.1:@{[ Duplex::Ports::take() ]}
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host x
EOC
    server s$_ $servers[$_] check inter ${interval}ms
EOS

    sleep 3;
    my @result = measure($process->pid());
    $process->signal('KILL');
    wait_for { !$process->is_running() } 10, 'the end of haproxy';

    return @result;
}

sub least {
    my ($rate, $keep) = @_;
    my $binary = program('prober');
    my ($made, $cpu) = split / /,
        `$binary $port @{[ SERVERS ]} $rate @{[ seconds() ]} $keep`;
    return $cpu;
}


for my $interval (1000, 100) {
    my $rate = SERVERS * 1000 / $interval;
    my ($haproxy, $rate_haproxy) = haproxy_probes($interval);
    my ($cpu, $made) = nginx_probes($interval, '');

    row(point => "probe, new connection, $rate/s", figure => $cpu,
        unit => 'us', reference => [ 'haproxy', $haproxy ], goal => 1.1);
    row(point => '  the same against the least', figure => $cpu, unit => 'us',
        reference => [ 'minimal prober', least($rate, '') ], goal => 2);
    row(point => "  made, of $rate/s", figure => $made, unit => '/s',
        reference => [ 'wanted', $rate ], goal => 0.98, least => 1);
    note('  made by haproxy', sprintf '%.0f/s', $rate_haproxy);

    # keepalive_time

    ($cpu, $made) = nginx_probes($interval, 'keepalive_time=60s');

    row(point => "probe, kept alive, $rate/s", figure => $cpu, unit => 'us',
        reference => [ 'haproxy, new', $haproxy ],
        goal => $interval == 100 ? 0.45 : 1);
    row(point => '  the same against the least', figure => $cpu, unit => 'us',
        reference => [ 'minimal prober', least($rate, 'keep') ], goal => 2);
    row(point => "  made, of $rate/s", figure => $made, unit => '/s',
        reference => [ 'wanted', $rate ], goal => 0.98, least => 1);
}
