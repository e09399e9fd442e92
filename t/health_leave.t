#!/usr/bin/perl

# Workers that are told to leave do not wait for probes, hanging ones least
# of all; what was not answered is no verdict.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use IO::Socket::INET;


use constant SERVERS => 200;

# One socket is all of them, on addresses of their own; nobody answers.

my $server = IO::Socket::INET->new(LocalAddr => '0.0.0.0', Listen => 1024,
                                   Blocking => 0)
    or die "bind: $!";
my @addresses = map { "127.0.2.$_" } 1 .. SERVERS;

my $conf = <<'EOC';
%%MAIN%%

events {
    worker_connections 2048;
}

http {
    %%HTTP%%

    upstream app {
        zone app 2m;
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
    vars => { servers => join "\n",
              map { "server $_:" . $server->sockport() . ';' } @addresses },
    conf => $conf,
);

my @hanging;

sub all_hang {
    my %seen;

    @hanging = ();

    wait_for {
        while (my $c = $server->accept()) {
            push @hanging, $c;
            $seen{$c->sockhost()} = 1 if sysread($c, my $request, 4096);
        }
        keys %seen == SERVERS;
    } 30, 'a hanging probe of each server';
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
