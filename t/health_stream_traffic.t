#!/usr/bin/perl

# Sessions of clients go to servers that pass, whatever the balancer; probes
# are not counted, and when this node cannot probe, that says nothing of the
# servers.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use IO::Socket::INET;


my @backends = map { Duplex::Backend->new(name => "b$_") } 1 .. 3;

# "idle" has no clients
my %balancer = (idle => '', rr => '', least => 'least_conn;', random => 'random two;',
                hash => 'hash $remote_port consistent;');

my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        servers => join("\n", map { 'server ' . $_->address() . ';' }
                              @backends),
        be1 => $backends[0]->address(),
    },
    conf => <<'EOC' . (join '', map { <<"EOU" } sort keys %balancer) . "}\n");
%%MAIN%%
worker_processes 2;

events {
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
    health_check_timeout 300ms;

    match alive {
        send "GET /alive HTTP/1.0\r\n\r\n";
        expect ~ "^HTTP/1\.\d 200 ";
    }

    upstream bound {
        zone bound 256k;
        server %%be1%%;
    }

    server {
        listen %%LISTEN_bound%%;
        proxy_pass bound;
        proxy_bind 192.0.2.1;
        health_check interval=50ms;
    }
EOC
    upstream $_ {
        zone $_ 256k;
        $balancer{$_}
        %%servers%%
    }

    server {
        listen %%LISTEN_$_%%;
        proxy_pass $_;
        health_check interval=100ms match=alive mandatory;
    }
EOU

my @balancers = grep { $_ ne 'idle' } sort keys %balancer;

sub states {
    my ($name) = @_;
    my $peers = $node->peers("stream/$name");
    return join ' ', map { $peers->{$_->address()}{state} } @backends;
}

# backend => requests that it answered
sub served {
    my ($name, $n) = @_;
    my %served;

    for (1 .. $n) {
        my $r = $node->get('/client', listen => $name);
        $served{$r->{headers}{'x-backend'} || 'none'}++;
    }

    return \%served;
}

$node->expect_log(qr/\[crit\].*bind\(192\.0\.2\.1\)/);
$node->start();

for my $name (@balancers) {
    happens { states($name) eq 'up up up' } 5, "$name: all are up";
    is(scalar(keys %{served($name, 40)}), 3, '... and have sessions');
}

$backends[1]->set_for('/alive', status => 503);

for my $name (@balancers) {
    happens { states($name) eq 'up unhealthy up' } 5, "$name: one fails";

    my $served = served($name, 30);
    is_deeply([ sort keys %$served ], [ 'b1', 'b3' ],
              '... and has no sessions') or diag(explain($served));
}

$backends[1]->set_for('/alive');

for my $name (@balancers) {
    happens { states($name) eq 'up up up' } 5, "$name: it is back";
    happens { served($name, 30)->{b2} } 5, '... and has sessions again';
}

# all fail: nobody is asked

$_->set_for('/alive', status => 503) for @backends;

happens { states('rr') eq join ' ', ('unhealthy') x 3 } 5, 'all fail';
is($node->get('/client', listen => 'rr')->{status}, 0, '... no session');
$node->expect_log(qr/no live upstreams/);

my $peers = $node->peers('stream/rr');
is(scalar(grep { $_->{active} || $_->{fails} } values %$peers), 0,
   'probes are not counted');

$peers = $node->peers('stream/idle');
is(scalar(grep { $_->{connections} || $_->{selected} || $_->{received} }
          values %$peers), 0, '... as nothing else, either')
    or diag(explain($peers));

# this node's own fault

like($node->wait_log(qr/\[warn\].*peer.* in stream upstream "bound"/),
     qr/could not be probed, its verdict stays: bind\(192\.0\.2\.1\) failed/,
     'an address that is not ours is a warning');
is($node->grep_log(qr/could not be probed/), 1, '... only one');
is($node->grep_log(qr/upstream "bound" is now/), 0, '... and no verdict');

done_testing();
