#!/usr/bin/perl

# What a stream check passes and what it does not: each kind of failure has
# its own reason, in one line of the log and in the API.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use Duplex::Certificates;
use Duplex::Raw;
use IO::Socket::INET;


sub says { my ($text) = @_; return sub { print {$_[0]} $text; hold($_[0]) } }
sub ends { my ($text) = @_; return sub { print {$_[0]} $text } }

# keeps the connection, until the other side has had enough
sub hold { 1 while sysread($_[0], my $text, 4096) }

sub echo {
    my ($c) = @_;
    sysread($c, my $text, 4096);
    print $c "<$text>";
    hold($c);
}

sub reset {
    my ($c) = @_;
    sysread($c, my $text, 4096);
    setsockopt($c, SOL_SOCKET, SO_LINGER, pack('II', 1, 0));
}

sub drip {
    my ($c) = @_;
    print $c 'x' and sleep 0.05 for 1 .. 200;
}

sub drip_expected {
    my ($c) = @_;
    print {$c} $_ and sleep 0.02 for split //, 'ready';
    hold($c);
}

# a server whose queue of connections is full
my $full = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
    or die "bind: $!";
my @queue = map {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', Blocking => 0,
                          PeerPort => $full->sockport())
} 1 .. 8;


my $ca = Duplex::Certificates->new();
my $stranger = Duplex::Certificates->new();


# name => [ server, check, what the log says, settings of the server block ]
my %cases = (

    # TCP

    connect => [ Duplex::Raw::tcp('connect', \&hold), '',
        qr/up: passed/ ],
    refused => [ Duplex::Raw::nobody(), '',
        qr/unhealthy: connect: connect\(\) failed \(111: Connection ref/ ],
    queue_full => [ '127.0.0.1:' . $full->sockport(), '',
        qr/unhealthy: timeout after \d+ms \(1 of 1\)/ ],
    slow_connect => [ '127.0.0.1:' . $full->sockport(), '',
        qr/unhealthy: timeout after [12]\d\dms \(1 of 1\)/,
        'proxy_connect_timeout 100ms; health_check_timeout 3s;' ],

    greets => [ Duplex::Raw::tcp('greets', says('220 ready')),
        'match=ready', qr/up: passed/ ],
    later => [ Duplex::Raw::tcp('later', says('not yet, now ready')),
        'match=ready', qr/up: passed/ ],
    slow => [ Duplex::Raw::tcp('slow', \&drip_expected),
        'match=ready', qr/up: passed/ ],
    answers => [ Duplex::Raw::tcp('answers', \&echo), 'match=echo',
        qr/up: passed/ ],
    bytes => [ Duplex::Raw::tcp('bytes', \&echo), 'match=bytes',
        qr/up: passed/ ],
    regex => [ Duplex::Raw::tcp('regex', says("\0\xff 25 READY\r\n")),
        'match=regex', qr/up: passed/ ],
    caseless => [ Duplex::Raw::tcp('caseless', says("25 rEaDy")),
        'match=caseless', qr/up: passed/ ],
    sent => [ Duplex::Raw::tcp('sent', \&hold), 'match=sent',
        qr/up: passed/ ],

    silent => [ Duplex::Raw::tcp('silent', \&hold), 'match=echo',
        qr/unhealthy: timeout after \d+ms \(1 of 1\)/ ],
    stopped => [ Duplex::Raw::tcp('stopped', says('rea')), 'match=ready',
        qr/unhealthy: timeout after \d+ms: 3 bytes without a match: "rea" / ],
    dripped => [ Duplex::Raw::tcp('dripped', \&drip), 'match=ready',
        qr/unhealthy: timeout after \d+ms: \d+ bytes without a match: "xx/ ],
    wrong_open => [ Duplex::Raw::tcp('wrong_open', says("-ERR\r\n")),
        'match=ready',
        qr/unhealthy: timeout .*: 6 bytes without a match: "-ERR\\r\\n" / ],

    closed => [ Duplex::Raw::tcp('closed', ends('')), 'match=ready',
        qr/unhealthy: closed: the server closed the connection \(1 of/ ],
    reset => [ Duplex::Raw::tcp('reset', \&reset), 'match=echo',
        qr/unhealthy: closed: recv\(\) failed \(104: Connection reset/ ],
    wrong => [ Duplex::Raw::tcp('wrong', ends("\0\"no\"\n")),
        'match=ready',
        qr/answer: 6 bytes without a match: "\\x00\\x22no\\x22\\n" \(1/ ],
    partial => [ Duplex::Raw::tcp('partial', ends('read')), 'match=ready',
        qr/answer: 4 bytes without a match: "read" \(1 of 1\)/ ],
    case => [ Duplex::Raw::tcp('case', ends('25 ready')), 'match=regex',
        qr/answer: 8 bytes without a match: "25 ready"/ ],
    endless => [ Duplex::Raw::tcp('endless',
            sub { my ($c) = @_; print $c 'x' x 1000 or last for 1 .. 999 }),
        'match=ready', qr/answer: 1024 bytes without a match: "x{64}" \(1/,
        'proxy_buffer_size 1k;' ],
    too_late => [ Duplex::Raw::tcp('too_late', ends('x' x 16 . 'ready')),
        'match=ready', qr/answer: 16 bytes without a match: "x{16}" \(1/,
        'proxy_buffer_size 16;' ],

    port => [ Duplex::Raw::nobody(), 'port=%%PORT_hello%%',
        qr/up: passed/ ],
    no_port => [ Duplex::Raw::tcp('no_port', \&hold),
        'port=' . (split /:/, Duplex::Raw::nobody())[1],
        qr/unhealthy: connect: connect\(\) failed/ ],

    # UDP

    udp => [ Duplex::Raw::udp('udp', sub { return }), 'udp',
        qr/up: passed/ ],
    udp_refused => [ Duplex::Raw::nobody(), 'udp',
        qr/unhealthy: connect: recv\(\) failed \(111: Connection refused\)/ ],
    udp_answers => [ Duplex::Raw::udp('udp_answers', sub { "<$_[0]>" }),
        'udp match=echo', qr/up: passed/ ],
    udp_default => [ Duplex::Raw::udp('udp_default', sub {
            $_[0] eq 'nginx health check' ? 'ready' : () }),
        'udp match=ready', qr/up: passed/ ],
    udp_second => [ Duplex::Raw::udp('udp_second', sub { 'wait', 'ready' }),
        'udp match=ready', qr/up: passed/ ],
    udp_split => [ Duplex::Raw::udp('udp_split', sub { 'rea', 'dy' }),
        'udp match=ready',
        qr/timeout .*: 2 bytes without a match: "dy" / ],
    udp_sent => [ Duplex::Raw::udp('udp_sent', sub { return }),
        'udp match=sent', qr/up: passed/ ],
    udp_silent => [ Duplex::Raw::udp('udp_silent', sub { return }),
        'udp match=echo', qr/unhealthy: timeout after \d+ms \(1 of 1\)/ ],
    udp_wrong => [ Duplex::Raw::udp('udp_wrong', sub { 'no' }),
        'udp match=ready',
        qr/timeout .*: 2 bytes without a match: "no" / ],
    udp_match_refused => [ Duplex::Raw::nobody(), 'udp match=echo',
        qr/unhealthy: connect: recv\(\) failed \(111: Connection refused\)/ ],
    udp_proxy => [ Duplex::Raw::udp('udp_proxy', sub {
            $_[0] =~ /^PROXY UNKNOWN\r\nping\z/ ? '<ping>' : () }),
        'udp match=echo', qr/up: passed/, 'proxy_protocol on;' ],

    # TLS: the servers are nginx

    tls => [ '%%LISTEN_tls%%', '', qr/up: passed/, '%%trust%%' ],
    tls_match => [ '%%LISTEN_tls%%', 'match=ready', qr/up: passed/,
        '%%trust%%' ],
    tls_wrong => [ '%%LISTEN_tls%%', 'match=echo',
        qr/answer: 20 bytes without a match: "good\.example\.\\nready/,
        '%%trust%%' ],
    tls_name => [ '%%LISTEN_tls%%', '',
        qr/tls: upstream SSL certificate does not match "bad\.example"/,
        '%%verify%% proxy_ssl_trusted_certificate %%ca%%;
         proxy_ssl_name bad.example;' ],
    tls_unknown => [ '%%LISTEN_tls%%', '',
        qr/tls: upstream SSL certificate verify error: \(2[01]:unable to/,
        '%%verify%% proxy_ssl_trusted_certificate %%stranger%%;
         proxy_ssl_name good.example;' ],
    tls_expired => [ '%%LISTEN_old%%', '',
        qr/tls: upstream SSL certificate verify error: \(10:certificate h/,
        '%%verify%% proxy_ssl_trusted_certificate %%ca%%;
         proxy_ssl_name good.example;' ],
    tls_unverified => [ '%%LISTEN_old%%', '', qr/up: passed/,
        'proxy_ssl on;' ],
    tls_plain => [ '%%LISTEN_hello%%', '',
        qr/tls: SSL_do_handshake\(\) failed \(SSL: error/, 'proxy_ssl on;' ],
    tls_closed => [ Duplex::Raw::tcp('tls_closed', sub {
            sysread($_[0], my $hello, 65536) }), '',
        qr/tls: peer closed connection in SSL handshake/, 'proxy_ssl on;' ],
    tls_silent => [ Duplex::Raw::tcp('tls_silent', \&hold), '',
        qr/unhealthy: timeout after \d+ms \(1 of 1\)/, 'proxy_ssl on;' ],
    tls_client => [ '%%LISTEN_client%%', 'match=ready', qr/up: passed/,
        'proxy_ssl on; proxy_ssl_certificate good.crt;
         proxy_ssl_certificate_key good.key;' ],
    tls_no_client => [ '%%LISTEN_client%%', 'match=ready',
        qr/unhealthy: (closed|answer|tls): /, 'proxy_ssl on;' ],
    tls_proxy => [ '%%LISTEN_tls_proxied%%', 'match=ready', qr/up: passed/,
        'proxy_ssl on; proxy_protocol on;' ],

    # PROXY protocol, bind

    proxy => [ Duplex::Raw::tcp('proxy', \&echo), 'match=proxied',
        qr/up: passed/, 'proxy_protocol on;' ],
    bound => [ '%%LISTEN_hello%%', 'match=bound', qr/up: passed/,
        'proxy_bind 127.0.0.77;' ],
);

my @names = sort keys %cases;

my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        ca => $ca->file(),
        stranger => $stranger->file(),
        verify => 'proxy_ssl on; proxy_ssl_verify on;
            proxy_ssl_server_name on;',
        trust => '%%verify%% proxy_ssl_trusted_certificate %%ca%%;
            proxy_ssl_name $good;',
    },
    conf => <<'EOC' . (join '', map { <<"EOU" } @names) . "}\n");
%%MAIN%%

events {
    worker_connections 1024;
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;

        location /api {
            api;
        }
    }
}

stream {
    log_format all "$server_port";
    access_log %%PREFIX%%/access.log all;

    health_check_timeout 600ms;

    match ready {
        expect ready;
    }

    match echo {
        send ping;
        expect "<ping>";
    }

    match bytes {
        send "\x01\x41\r\n";
        expect "<\x01A\x0d\n>";
    }

    match regex {
        expect ~ "^\x00\xff \d+ READY\r$";
    }

    match caseless {
        expect ~* "^\d+ READY$";
    }

    match sent {
        send "hello";
    }

    match proxied {
        expect ~ "^<PROXY UNKNOWN\r\n";
    }

    match bound {
        expect 127.0.0.77;
    }

    map $protocol $good {
        default good.example;
    }

    server {
        listen %%LISTEN_hello%%;
        return "hello $remote_addr\r\n";
        access_log off;
    }

    server {
        listen %%LISTEN_tls%% ssl;
        ssl_certificate good.crt;
        ssl_certificate_key good.key;
        return "$ssl_server_name$ssl_session_reused\nready\n";
        access_log off;
    }

    server {
        listen %%LISTEN_tls_proxied%% ssl proxy_protocol;
        ssl_certificate good.crt;
        ssl_certificate_key good.key;
        return "ready\n";
        access_log off;
    }

    server {
        listen %%LISTEN_old%% ssl;
        ssl_certificate old.crt;
        ssl_certificate_key old.key;
        return "ready\n";
        access_log off;
    }

    server {
        listen %%LISTEN_client%% ssl;
        ssl_certificate good.crt;
        ssl_certificate_key good.key;
        ssl_client_certificate %%ca%%;
        ssl_verify_client on;
        return "ready\n";
        access_log off;
    }
EOC
    upstream $_ {
        zone $_ 256k;
        server $cases{$_}[0];
    }

    server {
        listen %%LISTEN_front_$_%%;
        proxy_pass $_;
        health_check interval=300ms mandatory $cases{$_}[1];
        @{[ $cases{$_}[3] || '' ]}
    }
EOU

$ca->issue($node->prefix(), good => 'good.example');
$ca->issue($node->prefix(), old => 'good.example', expired => 1);

# what the servers think of handshakes that are broken off
$node->expect_log(qr/\[crit\].*SSL_(do_handshake|shutdown)\(\) failed/);

$node->start();

for my $name (@names) {
    my $regex = $cases{$name}[2];

    like($node->wait_log(qr/upstream "$name" is now/), qr/is now (\w+: )?$regex/,
         $name);
}

for my $name (qw/connect refused wrong udp_silent tls_name/) {
    my ($peer) = values %{$node->peers("stream/$name")};
    my $passes = $cases{$name}[2] =~ /up:/;

    is($peer->{state}, $passes ? 'up' : 'unhealthy', "$name: state");
    cmp_ok($peer->{health_checks}{checks}, '>', 0, '... checks');
    is($peer->{health_checks}{last_passed}, $passes ? true : false,
       '... last_passed');
}

is(-s $node->prefix() . '/access.log', 0, 'no probe is in the access log');

done_testing();
