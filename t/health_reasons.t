#!/usr/bin/perl

# Each way a server can fail a probe is told apart, in one line with the
# reason; a server that passes again is told, too.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $backend = Duplex::Backend->new(name => 'b1');
my $peer = $backend->address();

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $peer },
    conf => <<'EOC',
%%MAIN%%

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%be1%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_read_timeout 200ms;
            health_check interval=100ms uri=/health?a=b;
        }
    }
}
EOC
);

$node->start();


# the log's next word on the peer
sub becomes {
    my ($regex, $mark, $name) = @_;

    my $line = eval {
        $node->wait_log(qr/\[notice\].*peer "\Q$peer\E" in upstream "app" /,
                        5, $mark);
    };

    like($line, $regex, $name);
}

sub recovers {
    my $mark = $node->mark();
    $backend->set();
    $backend->accept();
    becomes(qr/is now up: 200 \(1 of 1\)$/, $mark, '... and is up again');
}


wait_for { $backend->count() > 2 } 5, 'probes';

my ($probe) = $backend->requests();

is($probe->{method}, 'GET', 'method');
is($probe->{uri}, '/health?a=b', 'uri');
is($probe->{headers}{host}, 'app', 'host');

is($node->grep_log(qr/is now/), 0, 'to pass from the start is not news');

for ([ 'status 500' => qr/unhealthy: status 500 \(1 of 1\)$/, status => 500 ],
     [ 'status 404' => qr/unhealthy: status 404 \(1 of 1\)$/, status => 404 ],
     [ 'no answer' => qr/unhealthy: timeout after \d+ms: no answer \(1 of 1\)$/,
       hang => 1 ],
     [ 'end before the answer' =>
       qr/unhealthy: closed: upstream prematurely closed connection \(1 of/,
       close => 'before' ],
     [ 'end within the header' =>
       qr/unhealthy: header: upstream prematurely closed connection \(1 of/,
       close => 'header' ],
     [ 'end within the body' =>
       qr/unhealthy: body: upstream prematurely closed connection \(1 of/,
       close => 'body', body => 'x' x 1000 ],
     [ 'reset' => qr/unhealthy: closed: recv\(\) failed \(104: .*\) \(1 of/,
       reset => 1 ])
{
    my ($what, $regex, @set) = @$_;

    my $mark = $node->mark();
    $backend->set(@set);

    becomes($regex, $mark, $what);
    is($node->get('/')->{status}, 502, '... gets no requests');
    recovers();
}

my $mark = $node->mark();
$backend->refuse();
becomes(qr/unhealthy: connect: connect\(\) failed \(111: .*\) \(1 of 1\)$/,
        $mark, 'refused');
recovers();

$mark = $node->mark();

for my $status (204, 301, 302, 399) {
    $backend->set(status => $status, body => '');
    my $seen = $backend->count();
    wait_for { $backend->count() > $seen + 2 } 5, 'probes';
}

is($node->grep_log(qr/is now/, $mark), 0,
   'status 204, 301, 302, 399 pass');

done_testing();
