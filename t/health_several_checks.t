#!/usr/bin/perl

# Several checks of one group: one that fails is enough to be out, all must
# pass to be in.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my ($b1, $b2) = map { Duplex::Backend->new(name => "b$_") } 1 .. 2;

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $b1->address(), be2 => $b2->address(),
              other => $b2->port() },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;

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
            health_check interval=100ms mandatory uri=/one;
            health_check interval=100ms uri=/two;
        }

        location /other {
            proxy_pass http://app;
            health_check interval=100ms port=%%other%%;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}
EOC
);

sub peer { return $node->peers('app')->{$b1->address()} }

$b1->set_for('/two', hang => 1);
$node->start();

wait_for { peer()->{health_checks}{checks} >= 4 } 5, 'two checks to pass';
is(peer()->{state}, 'checking', 'one check has no result yet');

my $mark;

$b1->set_for('/two');
$node->reload(wait_old => 1);
wait_for { peer()->{state} eq 'up' } 5, 'all to pass';
pass('all pass: up');

$mark = $node->mark();
$b1->set_for('/two', status => 503);

like($node->wait_log(qr/is now/, 5, $mark),
     qr{unhealthy: status 503 \(1 of 1\) of check "uri=/two"$},
     'one fails: out, and the log says which');

# another one fails, too: nothing changes until both pass

$b2->set(status => 404);
my $fails = peer()->{health_checks}{fails};
wait_for { peer()->{health_checks}{fails} >= $fails + 6 } 5, 'both to fail';

$mark = $node->mark();
my $seen = $b1->count(uri => qr{^/two});
$b1->set_for('/two');
wait_for { $b1->count(uri => qr{^/two}) >= $seen + 4 } 5, 'passes';

is(peer()->{state}, 'unhealthy', 'the other one is still failing');
is($node->grep_log(qr/is now/, $mark), 0, '... nothing is told');

$b2->set();
like($node->wait_log(qr/is now/, 5, $mark),
     qr{up: 200 \(1 of 1\) of check "port=\d+"$}, 'all pass: in');
is(peer()->{health_checks}{unhealthy}, 1, 'it was out once');

# a check that goes with a reload has no say any more

$b1->set_for('/two', status => 503);
$node->wait_log(qr/is now unhealthy/, 5, $mark);

(my $without = $node->conf()) =~ s/health_check.*?two;//;
$node->configure($without);
$mark = $node->mark();
$node->reload(wait_old => 1);

like($node->wait_log(qr/is now/, 5, $mark), qr{up: 200},
     'without the check that failed: in');

# a new one leaves the verdict as it is until it has its own

$b1->set_for('/three', hang => 1);
(my $with = $without) =~ s/(health_check interval=100ms) mand/
                           $1 uri=\/three; $1 mand/;
$node->configure($with);
$node->reload(wait_old => 1);

wait_for { $b1->count(uri => qr{^/three}) } 5, 'the new check';
is(peer()->{state}, 'up', 'a new check without a result changes nothing');

done_testing();
