#!/usr/bin/perl

# Workers that are told to leave do not wait for probes, hanging ones least
# of all; what was not answered is no verdict.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


use constant SERVERS => 12;

# one process answers for all of them, on addresses of its own

my @backends = map {
    Duplex::Backend->new(name => "b$_", address => "127.0.2.$_",
                         set => { hang => 1 })
} 1 .. SERVERS;

my $conf = <<'EOC';
%%MAIN%%

events {
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
            proxy_read_timeout 60s;
            health_check interval=200ms;
        }
    }
}
EOC

my $node = Duplex::Node->new(
    name => 'a',
    vars => { servers => join "\n", map { 'server ' . $_->address() . ';' }
                                    @backends },
    conf => $conf,
);

my %seen;

sub all_hang {
    wait_for { !grep { $_->count() <= ($seen{$_} || 0) } @backends }
        5, 'a hanging probe of each server';
    $seen{$_} = $_->count() for @backends;
}

$node->start();
all_hang();

# the old worker leaves, the new one probes again

my $start = time();
$node->reload(wait_old => 1);
# a probe would be waited for a minute

cmp_ok(time() - $start, '<', 10, 'a reload: the old worker left at once');

all_hang();

$start = time();
$node->stop();
cmp_ok(time() - $start, '<', 10, 'so it does when nginx quits');

is($node->grep_log(qr/is now|could not be probed/), 0,
   'no verdict came of it');
is($node->grep_log(qr/open socket|already closed/), 0,
   'no connection was left');

# TERM does not wait, either

$node->start();
all_hang();
$node->stop('TERM');
pass('terminated');

done_testing();
