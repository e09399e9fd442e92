package Duplex::Pair;

# Two nodes, "a" on 127.0.0.11 and "b" on 127.0.0.12, before backends "b1",
# "b2", ... on 127.0.0.21, 127.0.0.22, ...  Both nodes use the same file and
# the same ports, as two machines would:
#
#     upstream app {
#         zone app 1m;
#         server 127.0.0.21:%%PORT_backend%%;
#     }
#     server { listen %%LISTEN_front%%; ... }
#     server { listen %%LISTEN_sync%%;
#              zone_sync;
#              zone_sync_server 127.0.0.11:%%PORT_sync%%;
#              zone_sync_server 127.0.0.12:%%PORT_sync%%; }
#
# Without conf => it is the standard one below, where "server" lines of the
# backends and their check are filled in:
#
#     Duplex::Pair->new(backends => 3, check => 'interval=200ms uri=/health')

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Backend;
use Duplex::Node;
use Duplex::Ports;
use Duplex::Wait;

my $STANDARD = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
    worker_connections 1024;
}

http {
    %%HTTP%%

    upstream app {
        zone app 1m;
        %%SERVERS%%
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h sync;
        keepalive 32;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            health_check %%CHECK%%;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
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
EOC


# conf, backends => number or 0, check, vars => { placeholder => text }
sub new {
    my ($class, %args) = @_;

    my $ports = Duplex::Ports->new();
    my $n = $args{backends} // 2;

    my @backends = map {
        Duplex::Backend->new(
            name => "b$_", address => '127.0.0.' . (20 + $_),
            port => $ports->port('backend'), set => { sessions => 1 },
        )
    } 1 .. $n;

    my %vars = (
        SERVERS => join("\n        ",
                        map { 'server ' . $_->address() . ';' } @backends),
        CHECK   => $args{check} || 'interval=1s fails=2 passes=2 uri=/health',
        %{$args{vars} || {}},
    );

    my %node = map {
        $_->[0] => Duplex::Node->new(
            name => $_->[0], address => $_->[1], ports => $ports,
            conf => $args{conf} || $STANDARD, vars => \%vars,
        )
    } ['a', '127.0.0.11'], ['b', '127.0.0.12'];

    return bless { %node, backends => \@backends }, $class;
}


sub a { return $_[0]{a} }
sub b { return $_[0]{b} }
sub nodes { return ($_[0]{a}, $_[0]{b}) }
sub backends { return @{$_[0]{backends}} }


# "b1"
sub backend {
    my ($self, $name) = @_;

    my ($backend) = grep { $_->name() eq $name } @{$self->{backends}};
    return $backend || croak "no backend \"$name\"";
}


# both nodes, and waits until they are linked in both directions
sub start {
    my ($self) = @_;

    $_->start() for $self->nodes();
    $self->wait_linked();

    return $self;
}


sub wait_linked {
    my ($self) = @_;

    for my $node ($self->nodes()) {
        wait_for { is_linked($node) } 10,
            'node "' . $node->name() . '" to be linked and ready';
    }
}


# every other node is linked both ways and has been told everything, and this
# one is ready
sub is_linked {
    my ($node) = @_;

    my ($status, $ready) = $node->api_get('/api/9/duplex/ready');
    my ($nodes_status, $nodes) = $node->api_get('/api/9/duplex/nodes');

    die JSON::PP::encode_json([ $ready, $nodes ]) . "\n"
        if $status != 200 || $nodes_status != 200 || !$ready->{ready}
           || !@$nodes;

    for my $other (@$nodes) {
        die JSON::PP::encode_json($other) . "\n"
            if $other->{state} ne 'online' || $other->{pending}
               || !$other->{in} || $other->{in}{state} ne 'online';
    }

    return 1;
}


# "node" has told the other one everything
sub is_shipped {
    my ($self, $node) = @_;
    return eval { is_linked($node) } || 0;
}


# the addresses of a listener on both nodes
sub addresses {
    my ($self, $listen) = @_;
    return map { $_->address($listen) } $self->nodes();
}


sub stop {
    my ($self) = @_;
    $_->stop() for $self->nodes();
}


1;
