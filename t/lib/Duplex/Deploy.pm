package Duplex::Deploy;

# A pair with a split of two groups, for tests of deployments: blue is the
# backends "b1" and "b2", green "b3" and "b4".
#
#     my $pair = Duplex::Deploy::pair();
#     Duplex::Deploy::where($node, 'key')         # "blue": without a backend
#     Duplex::Deploy::weights($node)              # { blue => 100, green => 0 }
#     Duplex::Deploy::state($node)                # "running 1 of 4"

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Connection;
use Duplex::Pair;
use Duplex::Relay;

my $CONF = <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
    worker_connections 1024;
}

http {
    %%HTTP%%

    upstream app_blue {
        zone app_blue 256k;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%%;
        keepalive 16;
    }

    upstream app_green {
        zone app_green 256k;
        server 127.0.0.23:%%PORT_backend%%;
        server 127.0.0.24:%%PORT_backend%%;
        keepalive 16;
    }

    duplex_split $pool app {
        app_blue   100 as=blue;
        app_green    0 as=green;

        key        $arg_key;
        %%STICKY%%
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://$pool;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream error timeout;
        }

        location = /where {
            return 200 "$pool";
        }

        location = /blue {
            proxy_pass http://app_blue;
            health_check interval=100ms fails=1 passes=1 uri=/health;
        }

        location = /green {
            proxy_pass http://app_green;
            health_check interval=100ms fails=1 passes=1 uri=/health;
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
        %%NODES%%
    }
}
EOC


# sticky => a line of the split
sub pair {
    my (%args) = @_;

    return Duplex::Pair->new(
        conf => $CONF, backends => 4,
        vars => { STICKY => $args{sticky} || '', OTHER => '', NODES => join "\n",
                  map { "zone_sync_server 127.0.0.1$_:%%PORT_sync%%;" } 1, 2 },
    )->start();
}


# the pair, and a Duplex::Relay of each direction between its nodes
sub pair_with_wires {
    my $pair = Duplex::Pair->new(
        conf => $CONF, backends => 4,
        vars => { STICKY => '', OTHER => '127.0.0.1:1',
                  NODES => 'zone_sync_server %%OTHER%%;' });
    my ($one, $two) = $pair->nodes();

    my @wires = map {
        my ($from, $to) = @$_;
        my $wire = Duplex::Relay->new(from => '127.0.0.41', port => Duplex::Ports::take(),
                                      to => $to->address('sync'));
        $from->configure($CONF, OTHER => $wire->address());
        $wire;
    } [$one, $two], [$two, $one];

    return ($pair->start(), @wires);
}


# the group of a key, by a connection that is kept
{
    my %connections;

    sub where {
        my ($node, $key) = @_;

        my $address = $node->address('front');
        my $c = $connections{$address} ||= Duplex::Connection->new($address);
        my $r = $c->get("/where?key=$key");

        croak "where: $r->{error}" if !$r->{status};

        $r->{body} =~ s/^app_//;
        return $r->{body};
    }
}


sub weights {
    my ($node) = @_;

    my ($status, $split) = $node->api_get('/api/duplex/splits/app');
    croak "splits/app: $status" if $status != 200;

    return { map { $_->{colour} => $_->{weight} } @{$split->{groups}} };
}


sub deployment {
    my ($node) = @_;

    my ($status, $deployment) = $node->api_get('/api/duplex/deployments/app');
    return $status == 200 ? $deployment : { state => $status, step => 0, of => 0 };
}


sub state {
    my ($node) = @_;

    my $d = deployment($node);
    return "$d->{state} $d->{step} of $d->{of}";
}


sub patch {
    my ($node, $path, $data) = @_;
    return Duplex::Client::api_call($node->address('api'), 'PATCH',
                                    "/api/duplex/$path", $data);
}


sub post {
    my ($node, $data) = @_;
    return Duplex::Client::api_call($node->address('api'), 'POST',
                                    '/api/duplex/deployments', $data);
}


1;
