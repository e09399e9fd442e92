#!/usr/bin/perl

# Thousands of stream probes of each outcome leave neither memory nor
# connections nor descriptors behind, and workers that are told to leave do
# not wait for hanging ones.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use Duplex::Certificates;
use Duplex::Raw;


# probes of each server
use constant ROUND => $ENV{PROBES} || 100;
use constant MORE => 100;               # kB

sub hold { my ($c) = @_; 1 while sysread($c, my $text, 4096) }
sub answer { my ($c) = @_; sysread($c, my $text, 4096); print $c 'ready' }

my $ca = Duplex::Certificates->new();

my %cases = (
    connect => [ Duplex::Raw::tcp('connect', sub { }), '' ],
    refused => [ Duplex::Raw::nobody(), '' ],
    answer => [ Duplex::Raw::tcp('answer', \&answer), 'match=ready' ],
    wrong => [ Duplex::Raw::tcp('wrong', sub { print {$_[0]} 'x' x 20000 }),
               'match=ready' ],
    closed => [ Duplex::Raw::tcp('closed', sub { }), 'match=ready' ],
    hangs => [ Duplex::Raw::tcp('hangs', \&hold),
               'match=ready' ],
    udp => [ Duplex::Raw::udp('udp', sub { 'ready' }), 'udp match=ready' ],
    udp_refused => [ Duplex::Raw::nobody(), 'udp' ],
    udp_silent => [ Duplex::Raw::udp('udp_silent', sub { return }), 'udp' ],
    tls => [ '%%LISTEN_tls%%', 'match=ready',
             'proxy_ssl on; proxy_protocol on;' ],
    tls_name => [ '%%LISTEN_tls%%', '', '%%verify%% proxy_ssl_name other;' ],
    tls_plain => [ Duplex::Raw::tcp('tls_plain', \&answer), '',
                   'proxy_ssl on;' ],
);

my @names = sort keys %cases;

my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        ca => $ca->file(),
        verify => 'proxy_ssl on; proxy_ssl_verify on;
            proxy_ssl_trusted_certificate %%ca%%;',
        timeout => '20ms',
    },
    conf => <<'EOC' . (join '', map { <<"EOU" } @names) . "}\n");
%%MAIN%%

events {
    worker_connections 256;
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;

        location /api {
            api;
        }

        location = /status {
            stub_status;
        }
    }
}

stream {
    health_check_timeout %%timeout%%;

    match ready {
        send hello;
        expect ready;
    }

    server {
        listen %%LISTEN_tls%% ssl;
        ssl_certificate good.crt;
        ssl_certificate_key good.key;
        return "ready\n";
    }
EOC
    upstream $_ {
        zone $_ 256k;
        server $cases{$_}[0];
    }

    server {
        listen %%LISTEN_front_$_%%;
        proxy_pass $_;
        health_check interval=10ms $cases{$_}[1];
        @{[ $cases{$_}[2] || '' ]}
    }
EOU

$ca->issue($node->prefix(), good => 'good.example');

# what the tls server thinks of probes
$node->expect_log(qr/\[crit\].*SSL_(do_handshake|shutdown)\(\) failed/);

$node->start();

# its own memory: the store's is shared, and touched little by little
sub worker {
    my ($pid) = $node->workers();
    open(my $f, '<', "/proc/$pid/status") or die;
    my ($kb) = join('', <$f>) =~ /^RssAnon:\s+(\d+)/m;
    return ($kb, scalar(my @fds = glob "/proc/$pid/fd/*"));
}

sub made {
    my ($name) = @_;
    my ($peer) = values %{$node->peers("stream/$name")};
    return $peer->{health_checks}{checks};
}

sub round {
    my ($n) = @_;
    my @late = @names;
    wait_for { !(@late = grep { made($_) < $n * ROUND } @late) }
        30 + ROUND / 5, 'a round of probes';
    return worker();
}

my ($kb, $fds) = round(1);
my ($kb_after, $fds_after) = round(3);

# what is wanted once, for the most that was under way, is not wanted again

if ($kb_after - $kb >= MORE && !Duplex::Node::sanitizer()) {
    $kb = $kb_after;
    ($kb_after, $fds_after) = round(5);
}

SKIP: {
    skip 'a sanitizer keeps what is freed', 1 if Duplex::Node::sanitizer();

    cmp_ok($kb_after - $kb, '<', MORE, 'memory stays')
        or diag("$kb kB, then $kb_after kB");
}

# a probe under way has one
cmp_ok(abs($fds_after - $fds), '<=', 2 * @names, 'so do descriptors');

my ($active) = $node->get('/status', listen => 'api')->{body}
               =~ /Active connections: (\d+)/;
cmp_ok($active, '<=', 1 + 2 * @names, 'and connections');

# probes that hang for a minute hold nobody

$node->configure($node->conf(), timeout => '60s');

my $start = time();
$node->reload(wait_old => 1);
cmp_ok(time() - $start, '<', 10, 'a reload: the old worker leaves at once');

my $mark = $node->mark();

for my $verb (qw/reload stop/) {
    my $n = made('hangs');
    my $ticks = made('refused') + 20;
    wait_for { made('refused') > $ticks } 10, 'probes go on';
    is(made('hangs'), $n, 'but for one that hangs');

    $start = time();
    $node->$verb($verb eq 'reload' ? (wait_old => 1) : ());
    cmp_ok(time() - $start, '<', 10, "$verb: it leaves at once");
}

is($node->grep_log(qr/open socket|already closed/), 0, 'nothing was left');
is($node->grep_log(qr/in upstream "hangs"/, $mark), 0,
   'and no verdict came of probes that were given up');

done_testing();
