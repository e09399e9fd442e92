#!/usr/bin/perl

# Links with TLS, in both directions verified: what a node may not be
# trusted for is said once in the log and shown in the API, and nothing is
# sent to it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Certificates;
use Duplex::Test;


my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.1:1;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    log_format tls "$ssl_protocol $ssl_server_name $ssl_client_s_dn";

    zone_sync_ssl on;
    zone_sync_ssl_password_file %%PREFIX%%/passwords;
    zone_sync_ssl_protocols %%protocols%%;
    zone_sync_ssl_verify on;
    zone_sync_ssl_verify_depth 1;

    server {
        listen %%LISTEN_sync%% ssl;

        ssl_certificate %%PREFIX%%/server.crt;
        ssl_certificate_key %%PREFIX%%/server.key;
        ssl_client_certificate %%trusted%%;
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;

        access_log %%PREFIX%%/tls.log tls;

        zone_sync;
        zone_sync_server %%OTHER%%;
        zone_sync_ssl_certificate %%PREFIX%%/%%client%%.crt;
        zone_sync_ssl_certificate_key %%PREFIX%%/%%client%%.key;
        zone_sync_ssl_trusted_certificate %%trusted%%;
        %%more%%
    }
}
EOC

my $ca = Duplex::Certificates->new();
my $stranger = Duplex::Certificates->new();

my %vars = (client => 'client', trusted => $ca->file(), more => '',
            protocols => 'TLSv1.2 TLSv1.3');

my $ports = Duplex::Ports->new();

my ($a, $b) = map {
    my ($name, $address, $other) = @$_;

    my $node = Duplex::Node->new(
        name => $name, address => $address, ports => $ports, conf => $CONF,
        vars => { %vars, OTHER => "$other:%%PORT_sync%%" });

    my $dir = $node->prefix();

    $ca->issue($dir, 'server', "$name.example", addresses => [$address]);
    $ca->issue($dir, 'client', "$name.example", password => 'open sesame');
    $stranger->issue($dir, 'bad', "$name.example");
    $node->write_file('passwords', "wrong\nopen sesame\n");
    $node
} ['a', '127.0.0.11', '127.0.0.12'], ['b', '127.0.0.12', '127.0.0.11'];

$_->start() for $a, $b;
happens { Duplex::Pair::is_linked($_) } 10, $_->name() . ' is linked'
    for $a, $b;

$a->patch_peer('app', '127.0.0.1:1', { down => true });
happens { $b->peer_state('app', '127.0.0.1:1') eq 'down' } 2,
    'a change passes';

# what a does not trust

my @cases = (
    [ 'another authority', { trusted => $stranger->file() },
      qr/certificate verify error: \(\d+:unable to / ],
    [ 'another name', { more => 'zone_sync_ssl_name c.example;' },
      qr/certificate does not match "c\.example"/ ],
    [ 'no common version', { protocols => 'TLSv1.2', more =>
      'zone_sync_ssl_conf_command MinProtocol TLSv1.3;' },
      qr/SSL_do_handshake\(\) failed/ ],
);

for my $case (@cases) {
    my ($what, $change, $why) = @$case;
    my $mark = $a->mark();

    reconfigure($a, %$change);

    happens { other($a)->{error} =~ $why } 5, "$what: shown"
        or diag(other($a)->{error});

    isnt(other($a)->{state}, 'online', "$what: not online");

    # tried several times by now
    my $reconnects = other($a)->{reconnects};
    sleep 0.8;

    is(scalar $a->grep_log(qr/\[error\].*is not trusted: tls: /, $mark), 1,
       "$what: one line");
}

# a revoked certificate

my $dir = $b->prefix();

reconfigure($a, more => 'zone_sync_ssl_crl ' . $ca->list() . ';');
happens { other($a)->{state} eq 'online' } 5, 'a list that does not name it';

$ca->revoke("$dir/server.crt");
reconfigure($a, more => 'zone_sync_ssl_crl ' . $ca->list() . ';');
happens { other($a)->{error} =~ /\(\d+:certificate revoked\)/ } 5,
    'a list that does';

# and what b does not trust

reconfigure($a, client => 'bad');
happens { other($a)->{state} ne 'online' && other($a)->{error} } 5,
    'the client certificate of a stranger does not come in';

happens { other($b)->{state} eq 'online' } 5, 'the other link is as it was';
is(other($b)->{in}{state}, 'down', 'and b knows that a does not come');

# names

reconfigure($a, protocols => 'TLSv1.3', more => 'zone_sync_ssl_name b.example;
    zone_sync_ssl_server_name on;');

happens { other($a)->{state} eq 'online' } 5, 'a name of its own';

$_->stop() for $a, $b;

# nginx before 1.23: whoever is refused has often said more
$_->expect_log(qr/SSL_shutdown\(\) failed .*application data after/)
    for $a, $b;

open(my $f, '<', "$dir/tls.log") or die;
my ($line) = grep { /b\.example/ } <$f>;

is($line, "TLSv1.3 b.example CN=a.example\n", 'the name was sent, and a name'
   . ' received');

done_testing();


sub reconfigure {
    my ($node, %change) = @_;

    $node->configure($CONF, %vars, %change);
    $node->reload(wait_old => 1);
}


sub other {
    my ($node) = @_;

    my ($status, $nodes) = $node->api_get('/api/9/duplex/nodes');
    return $nodes->[0];
}
