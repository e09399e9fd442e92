#!/usr/bin/perl

# Sessions from node to node, against HAProxy's peers: all of a full table to
# a node that has none, a stream of new ones, and how soon one is seen.
#
# In a network namespace of its own, so that the bytes of its loopback are
# those of the pair that is measured.  Needs root.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Bench;
use Duplex::Connection;
use Duplex::Wire qw/:all/;
use IO::Socket::UNIX;
use POSIX ();

use constant SESSIONS => $ENV{BENCH_SESSIONS} || 1_000_000;
use constant TIMES => $ENV{BENCH_TIMES} || 3;
use constant LIVE => 20_000;            # new ones a second
use constant BATCH => 100;              # of them at once
use constant VISITS => 400;


if (!$ENV{BENCH_NAMESPACE}) {
    $ENV{BENCH_NAMESPACE} = 1;
    exec 'unshare', '-n', 'sh', '-c',
         'ip link set lo up && exec "$0" "$@"', $^X, $0
        or die "unshare: $!\n";
}

my $backend = start_backend();
my $server = '127.0.0.31:' . $backend->port();

my ($limit, $limit_ns) = split / /, `@{[program('streamer')]} @{[SESSIONS]}`;

my %got = map { $_ => measure($_) } qw/haproxy duplex/;
my ($ours, $theirs) = @got{qw/duplex haproxy/};

row(point => 'full table, entries/s', figure => $ours->{rate}, unit => '/s',
    reference => [ 'HAProxy', $theirs->{rate} ], goal => 3, least => 1);
row(point => 'full table, the same, beside the least', unit => '/s',
    figure => $ours->{rate}, reference => [ 'streamer.c', $limit ],
    goal => 0.05, least => 1);
row(point => 'full table, CPU of the receiver', figure => $ours->{cpu},
    unit => 'ns', reference => [ 'HAProxy', $theirs->{cpu} ], goal => 0.5);
row(point => 'full table, the same, beside the least', unit => 'ns',
    figure => $ours->{cpu}, reference => [ 'streamer.c', $limit_ns ],
    goal => 10);
row(point => 'full table, bytes per entry', figure => $ours->{bytes},
    unit => 'B', reference => [ 'allowed', 48 ], goal => 1);
row(point => 'full table, the same', figure => $ours->{bytes}, unit => 'B',
    reference => [ 'HAProxy', $theirs->{bytes} ], goal => 1.1);
row(point => sprintf('%d new ones/s, CPU of the receiver', LIVE),
    figure => $ours->{live}, unit => 'ns',
    reference => [ 'HAProxy', $theirs->{live} ], goal => 0.6);
row(point => 'seen on the other node, p50', figure => $ours->{p50},
    unit => 'ms', reference => [ 'HAProxy', $theirs->{p50} ], goal => 1);
row(point => 'seen on the other node, p99', figure => $ours->{p99},
    unit => 'ms', reference => [ 'HAProxy', $theirs->{p99} ], goal => 1.5);
note('idle, CPU of a node', sprintf '%.0f us/s, HAProxy %.0f us/s',
     $ours->{idle}, $theirs->{idle});


# what one of the two costs
sub measure {
    my ($who) = @_;

    my $pair = $who eq 'duplex' ? Pair::Duplex->new($server)
                                : Pair::Haproxy->new($server);
    my %got;

    $pair->start('a');

    # what the start of the other one costs by itself

    $pair->start('b');
    sleep 2;
    my $start = $pair->cpu('b');
    my $before = $pair->cpu('a');
    sleep 3;
    $got{idle} = ($pair->cpu('a') - $before) / 3;
    $pair->stop('b');

    $pair->fill(1, SESSIONS);

    my (@rate, @cpu, @bytes);

    for (1 .. TIMES) {
        sleep 1;
        my $base = bytes();

        my $child = open(my $flow, '-|') // die "fork: $!\n";

        if (!$child) {
            printf "%.6f %.6f\n", flow($base);
            close STDOUT;
            POSIX::_exit(0);
        }

        $pair->start('b');
        my ($first, $last) = split / /, <$flow>;
        close $flow;

        push @rate, SESSIONS / ($last - $first);
        push @bytes, (bytes() - $base) / SESSIONS;
        push @cpu, ($pair->cpu('b') - $start) * 1000 / SESSIONS;

        my $n = $pair->count('b');
        die "$who: $n of " . SESSIONS . "\n" if $n != SESSIONS;

        $pair->stop('b') if $_ < TIMES;
    }

    @got{qw/rate cpu bytes/} = (median(@rate), median(@cpu), median(@bytes));

    # new ones

    sleep 2;
    my $end = time() + 5;
    my ($at, $next) = (time(), SESSIONS + 1);
    my $cpu = $pair->cpu('b');

    while (time() < $end) {
        $pair->fill($next, BATCH);
        $next += BATCH;
        $at += BATCH / LIVE;
        sleep $at - time() if $at > time();
    }

    sleep 0.5;
    $got{live} = ($pair->cpu('b') - $cpu) * 1000 / ($next - SESSIONS - 1);

    # one, and then: is it there?

    my @took = sort { $a <=> $b } map { $pair->visit("visit$_") } 1 .. VISITS;
    @got{qw/p50 p99/} = map { $took[$_ * $#took] * 1000 } 0.5, 0.99;

    $pair->stop($_) for 'a', 'b';

    return \%got;
}


# when the bytes of the table began to flow, and when they had
sub flow {
    my ($base) = @_;

    my ($first, $last, $seen) = (0, 0, $base);
    my $limit = time() + 120;

    while (time() < $limit) {
        my ($now, $bytes) = (time(), bytes());

        $first = $now if !$first && $bytes > $base + 200_000;
        ($last, $seen) = ($now, $bytes) if $bytes > $seen + 20_000;

        return ($first, $last) if $first && $now > $last + 1;

        sleep 0.002;
    }

    die "nothing came\n";
}


sub bytes {
    open(my $f, '<', '/proc/net/dev') or die "/proc/net/dev: $!\n";
    my ($line) = grep { /^\s*lo:/ } <$f>;
    return (split ' ', $line)[1];
}


package Pair::Duplex;

use Bench;
use Digest::MD5 qw/md5/;
use Duplex::Wire qw/:all/;

my $CONF;

sub new {
    my ($class, $server) = @_;

    local $/;
    $CONF //= <main::DATA>;

    my $ports = Duplex::Ports->new();
    my $self = bless { position => 1 }, $class;

    for my $n (1, 2) {
        my $name = $n == 1 ? 'a' : 'b';

        $self->{$name} = Duplex::Node->new(
            name => $name, address => "127.0.0.1$n", ports => $ports,
            conf => $CONF, vars => { SERVER => $server });
    }

    return $self;
}


sub start {
    my ($self, $name) = @_;

    $self->{$name}->start();
    $self->{api}{$name}
        = Duplex::Connection->new($self->{$name}->address('api'));
    $self->{front}{$name}
        = Duplex::Connection->new($self->{$name}->address('front'));
}


sub stop { $_[0]{$_[1]}->kill9() }

sub cpu { return cpu_us($_[0]{$_[1]}->workers()) }


# as if the node had made them: without a node, as its own go over the wire
sub fill {
    my ($self, $from, $n) = @_;

    # who is silent for a second is given up

    delete $self->{wire} if main::time() - ($self->{used} || 0) > 0.5;

    my $wire = $self->{wire} ||= $self->_dial();
    my $time = int(main::time() * 1000) << 16;
    my $last = $from + $n;

    while ($from < $last) {
        my $count = $last - $from < 1200 ? $last - $from : 1200;

        my $records = join '', map {
            pack('C n n Q> H16 Q> a16 Q>', 2 | 4, 16, 8, $time, $self->{id},
                 3_600_000, md5($_), 1)
        } $from .. $from + $count - 1;

        $wire->send(RECORDS, pack('n n a4 Q> C/a*', 0, $count, 'sess',
                                  $self->{position}++, '') . $records);
        $from += $count;
    }

    # acknowledged is applied

    while (1) {
        my ($type, $payload) = $wire->recv();

        die "no answer\n" if !defined $type;
        last if $type == ACK
                && unpack('x2 Q>', $payload) == $self->{position} - 1;
    }

    $self->{used} = main::time();
}


sub _dial {
    my ($self) = @_;

    my ($status, $node) = $self->{a}->api_get('/api/9/duplex/node');
    $self->{id} = $node->{id};

    my $wire = Duplex::Wire->new($self->{a}->address('sync'), name => 'feed');

    $wire->handshake();
    $wire->send(TABLE, pack('n a4 Q> Q> C/a*', 0, 'sess', 99, 1e9,
                            'sessions'));
    $wire->recv();
    $wire->{timeout} = 60;

    return $wire;
}


sub count {
    my ($self, $name) = @_;

    my ($status, $data) = $self->{$name}->api_get('/api/9/stream/zone_sync');
    return $data->{zones}{sessions}{records_total};
}


sub visit {
    my ($self, $name) = @_;

    my $start = main::time();
    $self->{front}{a}->get("/?s=$name");

    while (main::time() < $start + 5) {
        my $r = $self->{api}{b}
            ->get("/api/9/duplex/sessions/sessions?value=$name");
        return main::time() - $start if $r->{status} == 200;
    }

    die "$name is not seen\n";
}


package Pair::Haproxy;

use Bench;

sub new {
    my ($class, $server) = @_;

    my $self = bless { server => $server }, $class;

    $self->{peer}{$_} = '127.0.0.1:' . Duplex::Ports::take() for 'a', 'b';
    $self->{front}{$_} = '127.0.0.1:' . Duplex::Ports::take() for 'a', 'b';
    $self->{socket}{$_} = Duplex::Directory::make('haproxy') . "/$_"
        for 'a', 'b';

    return $self;
}


sub start {
    my ($self, $name) = @_;

    my $size = main::SESSIONS + 300_000;

    $self->{$name} = haproxy(<<"EOC");
global
    nbthread 1
    localpeer $name
    stats socket $self->{socket}{$name} level admin
    maxconn 2000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
peers pair
    peer a $self->{peer}{a}
    peer b $self->{peer}{b}
frontend front
    bind $self->{front}{$name}
    http-request return status 200 if { path /seen } { url_param(s),in_table(t) }
    http-request return status 404 if { path /seen }
    default_backend app
backend t
    stick-table type string len 32 size $size expire 1h peers pair
backend app
    stick on url_param(s) table t
    server one $self->{server}
EOC

    $self->{client}{$name} = Duplex::Connection->new($self->{front}{$name});
}


sub stop {
    my ($self, $name) = @_;
    $self->{$name}->kill_group();
    main::sleep(0.2);
}

sub cpu { return cpu_us($_[0]{$_[1]}->pid()) }


sub fill {
    my ($self, $from, $n) = @_;

    my $last = $from + $n;

    while ($from < $last) {
        my $count = $last - $from < 100 ? $last - $from : 100;

        $self->_ask('a', join ';', map {
            sprintf 'set table t key %016x data.server_id 1', $_
        } $from .. $from + $count - 1);

        $from += $count;
    }
}


sub count {
    my ($self, $name) = @_;

    my ($used) = $self->_ask($name, 'show table') =~ /used:(\d+)/;
    return $used;
}


sub _ask {
    my ($self, $name, $command) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => $self->{socket}{$name})
        or die "$self->{socket}{$name}: $!\n";

    syswrite $socket, "$command\n";
    local $/;
    return scalar <$socket>;
}


sub visit {
    my ($self, $name) = @_;

    my $start = main::time();
    $self->{client}{a}->get("/?s=$name");

    while (main::time() < $start + 5) {
        my $r = $self->{client}{b}->get("/seen?s=$name");
        return main::time() - $start if $r->{status} == 200;
    }

    die "$name is not seen\n";
}


package main;

__DATA__
%%MAIN%%
worker_processes 1;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%SERVER%%;
        sticky learn create=$arg_s lookup=$arg_s zone=sessions:64m timeout=1h
                     sync;
        keepalive 4;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
