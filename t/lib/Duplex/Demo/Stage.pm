package Duplex::Demo::Stage;

# What the demo plays on: the pair of conf.examples/pair, and three servers.
#
# The servers are stock nginx without any of our modules.  They set the cookie
# "sid" themselves, and their access logs are the demo's evidence: one line a
# request, "time uri status sid", where a sid that was set with that answer
# is marked with a "+".

use strict;
use warnings;

use Duplex::Connection;
use Duplex::Example;
use Duplex::Node;
use Duplex::Ports;
use Duplex::Wait;
use JSON::PP ();

# the ports of the example, by the names that Duplex::Node uses
my %PORTS = (8080 => 'front', 8081 => 'api', 9000 => 'sync',
             8000 => 'backend');

my $SERVER = <<'EOC';
daemon off;
pid %%PREFIX%%/nginx.pid;
error_log %%PREFIX%%/error.log;
worker_processes 1;

events {
}

http {
    %%HTTP%%

    map $cookie_sid $new_sid {
        ''       $request_id;
        default  '';
    }

    map $new_sid $set_sid {
        ''       '';
        default  'sid=$new_sid; Path=/';
    }

    map $new_sid $log_sid {
        ''       $cookie_sid;
        default  +$new_sid;
    }

    log_format evidence '$msec $request_uri $status $log_sid';
    keepalive_requests 100000;

    server {
        listen %%LISTEN_backend%%;

        location / {
            access_log %%PREFIX%%/access.log evidence;
            add_header Set-Cookie $set_sid;
            add_header X-Backend %%NAME%%;
            return 200 "%%NAME%%\n";
        }

        location = /health {
            return 204;
        }
    }
}
EOC

# where each request went, and where it was sent again
my $NODE_LOG = <<'EOC';
log_format demo '$msec $request_uri $status $upstream_addr $upstream_status';
    access_log %%PREFIX%%/access.log demo;
EOC


sub new {
    my ($class) = @_;

    my $ports = Duplex::Ports->new();
    my $self = bless { read => {} }, $class;

    for my $n (1 .. 3) {
        $self->{servers}{"s$n"} = Duplex::Node->new(
            name => "s$n", address => '127.0.0.' . (20 + $n),
            ports => $ports, conf => $SERVER,
        );
    }

    for (['a', '127.0.0.11'], ['b', '127.0.0.12']) {
        my ($name, $address) = @$_;

        $self->{nodes}{$name} = Duplex::Node->new(
            name => $name, address => $address, ports => $ports,
            access_log => $NODE_LOG,
            conf => Duplex::Example::conf("pair/nginx-$name.conf", %PORTS),
        );
    }

    return $self;
}


sub node { return $_[0]{nodes}{$_[1]} }
sub nodes { return @{$_[0]{nodes}}{qw/a b/} }
sub server { return $_[0]{servers}{$_[1]} }
sub servers { return map { $_[0]{servers}{$_} } qw/s1 s2 s3/ }
sub fronts { return map { $_->address('front') } $_[0]->nodes() }


# the connection to a listener of a node that the demo itself uses
sub client {
    my ($self, $node, $listen) = @_;

    $listen ||= 'front';

    return $self->{clients}{$node->name() . " $listen"}
        ||= Duplex::Connection->new($node->address($listen));
}


# the node has died, and its connections with it
sub forget_clients {
    my ($self, $node) = @_;

    my $name = $node->name();
    delete @{$self->{clients}}{grep { /^$name / } keys %{$self->{clients}}};
}


# GET of one page of the API; dies if that is not answered with 200
sub api {
    my ($self, $node, $path) = @_;

    my $answer = $self->client($node, 'api')->get("/api/9/$path");

    die "GET /api/9/$path on node " . $node->name() . ': '
        . ($answer->{status} || $answer->{error}) . "\n"
        if $answer->{status} != 200;

    return JSON::PP::decode_json($answer->{body});
}


# the peer's object in the upstream, as "node" sees it
sub peer {
    my ($self, $node, $server) = @_;

    my $address = $server->address('backend');
    my ($peer) = grep { $_->{server} eq $address }
                 @{$self->api($node, 'http/upstreams/app')->{peers}};

    return $peer || die "no peer $address on node " . $node->name() . "\n";
}


# all that "node" has to tell has been acknowledged by the other one
sub wait_acknowledged {
    my ($self, $node) = @_;

    wait_for {
        my $nodes = $self->api($node, 'duplex/nodes');
        !grep { $_->{state} ne 'online' || $_->{pending} } @$nodes;
    } 10, 'node "' . $node->name() . '" to have told the other everything';
}


# The lines that the servers have logged since the last call, as
# { server, time, uri, status, sid, new }.  nginx writes a line when the
# answer has gone out already: call it again until all are there.
sub requests {
    my ($self) = @_;

    my @found;

    for my $server ($self->servers()) {
        my $name = $server->name();

        for my $line ($self->_new_lines($server->prefix() . '/access.log')) {
            my ($time, $uri, $status, $sid) = split / /, $line;

            push @found, {
                server => $name, time => $time, uri => $uri,
                status => $status, sid => $sid =~ s/^\+//r,
                new => $sid =~ /^\+/ ? 1 : 0,
            };
        }
    }

    return @found;
}


# the lines of a server that mention "sid", as they stand there
sub log_of {
    my ($self, $name, $sid) = @_;

    open(my $f, '<', $self->server($name)->prefix() . '/access.log')
        or return;
    chomp(my @lines = grep { /$sid/ } <$f>);

    return @lines;
}


# as many of the servers' lines as there must be, by their uri
sub wait_requests {
    my ($self, $uri, $n) = @_;

    my @found;

    wait_for {
        push @found, grep { $_->{uri} eq $uri } $self->requests();
        @found >= $n;
    } 5, "$n requests for $uri in the servers' logs";

    return @found;
}


sub _new_lines {
    my ($self, $file) = @_;

    open(my $f, '<', $file) or return;
    seek($f, $self->{read}{$file} // 0, 0);

    my @lines;

    while (my $line = <$f>) {
        last if $line !~ /\n\z/;            # is being written

        $self->{read}{$file} = tell $f;
        chomp $line;
        push @lines, $line;
    }

    return @lines;
}


# requests that the nodes had to send to more than one server
sub count_resent {
    my ($self) = @_;

    my @lines = map { $self->_new_lines($_->prefix() . '/access.log') }
                $self->nodes();

    return scalar grep { /^\S+ \S+ \S+ [^ ,]+,/ } @lines;
}


sub stop {
    my ($self) = @_;

    $_->stop() for grep { $_->is_running() } $self->nodes();
    $_->stop('TERM') for grep { $_->is_running() } $self->servers();
}


1;
