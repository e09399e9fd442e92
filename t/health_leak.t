#!/usr/bin/perl

# Thousands of probes, good ones and each kind of bad one, leave neither
# memory nor connections behind.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


use constant ROUND => 250;              # probes of each server
use constant MORE => 100;               # kB

my %backends = (
    good    => Duplex::Backend->new(name => 'good'),
    bad     => Duplex::Backend->new(name => 'bad', set => { status => 500 }),
    reset   => Duplex::Backend->new(name => 'reset', set => { reset => 1 }),
    early   => Duplex::Backend->new(name => 'early',
                                    set => { close => 'header' }),
    short   => Duplex::Backend->new(name => 'short',
                                    set => { close => 'body' }),
    refused => Duplex::Backend->new(name => 'refused'),
    hangs   => Duplex::Backend->new(name => 'hangs', set => { hang => 1 }),
);

my @answering = grep { !/refused|hangs/ } sort keys %backends;

$backends{refused}->refuse();

my $node = Duplex::Node->new(
    name => 'a',
    vars => { servers => join "\n", map { "server $_;" }
                         map { $_->address() } values %backends },
    conf => <<'EOC',
%%MAIN%%

events {
    worker_connections 128;
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        %%servers%%
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_read_timeout 20ms;
            health_check interval=10ms;
        }

        location = /status {
            stub_status;
        }
    }
}
EOC
);

$node->start();

# its own memory: the store's is shared, and touched little by little
sub worker_kb {
    my ($pid) = $node->workers();
    open(my $f, '<', "/proc/$pid/status") or die;
    my ($kb) = join('', <$f>) =~ /^RssAnon:\s+(\d+)/m;
    return $kb;
}

sub round {
    my ($n) = @_;
    wait_for { !grep { $backends{$_}->count() < $n * ROUND } @answering }
        60, 'a round of probes';
    return worker_kb();
}

my $before = round(1);
my $after = round(3);

# what is wanted once, for the most that was under way, is not wanted again

if ($after - $before >= MORE && !Duplex::Node::sanitizer()) {
    $before = $after;
    $after = round(5);
}

SKIP: {
    skip 'a sanitizer keeps what is freed', 1 if Duplex::Node::sanitizer();

    cmp_ok($after - $before, '<', MORE, 'memory stays')
        or diag("$before kB, then $after kB");
}

# 128 connections would not last long

my ($active) = $node->get('/status')->{body} =~ /Active connections: (\d+)/;
cmp_ok($active, '<=', 1 + keys %backends, 'connections are given back');
is($node->grep_log(qr/worker_connections are not enough/), 0,
   'there were always enough');

done_testing();
