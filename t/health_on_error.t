#!/usr/bin/perl

# duplex_probe_on_error: a request of a client that fails, or that is late,
# leads to a probe at once, whichever worker had the request; without it the
# interval counts.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my ($fails, $late, $quiet) = map { Duplex::Backend->new(name => "b$_") } 1 .. 3;

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $fails->address(), be2 => $late->address(),
              be3 => $quiet->address() },
    conf => <<'EOC',
%%MAIN%%
worker_processes 3;

events {
}

http {
    %%HTTP%%

    upstream fails {
        zone fails 256k;
        server %%be1%% max_fails=0;
        duplex_probe_on_error on;
    }

    upstream late {
        zone late 256k;
        server %%be2%% max_fails=0;
        duplex_probe_on_error on late=200ms;
    }

    upstream quiet {
        zone quiet 256k;
        server %%be3%% max_fails=0;
    }

    server {
        listen %%LISTEN_front%%;

        proxy_read_timeout 1s;

        location / {
            proxy_pass http://fails;
            health_check interval=20s mandatory uri=/probe;
        }

        location /late {
            proxy_pass http://late;
            health_check interval=20s mandatory uri=/probe;
        }

        location /quiet {
            proxy_pass http://quiet;
            health_check interval=20s mandatory uri=/probe;
        }
    }
}
EOC
);

$node->start();
$node->wait_log(qr/upstream "$_" is now up/) for qw/fails late quiet/;

# good requests are no reason

$node->get($_) for qw{/ /late /quiet};
is($_->count(uri => qr{^/probe}), 1, 'no probe after a good request')
    for $fails, $late, $quiet;

# nor are the server's own errors

$fails->set_for('/x', status => 502);
$node->get('/x') for 1 .. 3;
is($fails->count(uri => qr{^/probe}), 1, 'nor after a 502 of its own');

# a second after the last probe is over, as it must be

wait_for { time() - ($fails->requests(uri => qr{^/probe}))[0]{time} > 1.1 } 5,
    'a second';

my $mark = $node->mark();
$_->set(hang => 1), $_->set_for('/probe', hang => 1) for $late;
$_->refuse() for $fails, $quiet;

my $since = time();

is($node->get('/')->{status}, 502, 'a request fails');

like($node->wait_log(qr/upstream "fails" is now/, 5, $mark),
     qr/unhealthy: connect: /, '... and its server is out');
cmp_ok(time() - $since, '<', 5, '... at once');

is($node->get('/quiet')->{status}, 502, 'a request fails elsewhere');

$node->get('/late');
wait_for { $late->count(uri => qr{^/probe}) == 2 } 5, 'a probe of the late one';
my ($request) = $late->requests(uri => qr{^/late}, since => $since);
my $probe = ($late->requests(uri => qr{^/probe}))[-1];

cmp_ok($probe->{time} - $request->{time}, '<', 0.8,
       'a late request: probed before it has failed');

is($node->grep_log(qr/upstream "quiet" is now unhealthy/), 0,
   'without the directive: the interval counts');

done_testing();
