#!/usr/bin/perl

# What a server may send instead of HTTP: none of it passes, and a server
# that sends a byte now and then cannot hold a probe for ever.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use Duplex::Raw;


my %servers = (
    garbage => sub {
        my ($c) = @_;
        print $c "SSH-2.0-OpenSSH_9.2\r\n";
    },
    big => sub {
        my ($c) = @_;
        print $c "HTTP/1.1 200 OK\r\nX: ", 'x' x 20000, "\r\n\r\n";
    },
    drip => sub {
        my ($c) = @_;
        print $c "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n";
        print $c 'x' and sleep 0.05 for 1 .. 200;
    },
    endless => sub {
        my ($c) = @_;
        print $c "HTTP/1.1 200 OK\r\n\r\n";
        print $c 'x' x 10000 or last for 1 .. 200;
    },
    redirect => sub {
        my ($c) = @_;
        print $c "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /internal\r\n"
                 . "Content-Length: 0\r\n\r\n";
    },
);

my %address = map {
    my $name = $_;
    $name => Duplex::Raw::tcp($name, sub {
        my ($c) = @_;
        sysread($c, my $request, 65536);
        $servers{$name}->($c);
    });
} sort keys %servers;

my $node = Duplex::Node->new(
    name => 'a',
    vars => \%address,
    conf => <<'EOC' . (join '', map { <<"EOU" } sort keys %servers) . "}\n");
%%MAIN%%

events {
}

http {
    %%HTTP%%

    proxy_connect_timeout 200ms;
    proxy_send_timeout 200ms;
    proxy_read_timeout 800ms;

    server {
        listen %%LISTEN_front%%;

        location /internal {
            return 500;
        }
    }

EOC
    upstream $_ {
        zone $_ 256k;
        server %%$_%%;
    }

    server {
        listen %%LISTEN_$_%%;

        location / {
            proxy_pass http://$_;
            health_check interval=100ms mandatory;
        }
    }
EOU

$node->start();

for ([ garbage => qr/is now unhealthy: protocol: / ],
     [ big => qr/is now unhealthy: header: upstream sent too big header / ],
     [ drip => qr/is now unhealthy: timeout after 1\d\d\dms: the whole / ],
     [ endless => qr/is now up: 200 / ],
     [ redirect => qr/is now up: 200 / ])
{
    my ($name, $regex) = @$_;

    my $line = $node->wait_log(qr/upstream "$name" is now/);
    like($line, $regex, $name);
}

done_testing();
