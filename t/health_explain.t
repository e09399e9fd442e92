#!/usr/bin/perl

# The API says why a server is in or out: which check, what was expected and
# what came, and the last sixteen results; all of it outlives a reload.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my ($b1, $b2) = map { Duplex::Backend->new(name => "b$_") } 1 .. 2;

my $node = Duplex::Node->new(
    name => 'alpha',
    vars => { be1 => $b1->address(), be2 => $b2->address() },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%be1%%;
        server %%be2%%;
    }

    match fine {
        status 200-299;
        header X-Fine = yes;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            health_check interval=50ms fails=2 uri=/one match=fine;
            health_check interval=50ms uri=/two;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC
);

$_->set_for('/one', headers => [ 'X-Fine: yes' ]) for $b1, $b2;
$b2->set_for('/one', headers => [ 'X-Fine: no' ]);

$node->start();

sub call {
    my ($method, $path, $data) = @_;
    return api_call($node->address('api'), $method, "/api/9/$path", $data);
}

# (status, object)
sub ask { return call('GET', "duplex/explain/peer?$_[0]") }

sub why {
    my ($server) = @_;
    return (ask("protocol=http&upstream=app&server=$server"))[1];
}

sub check {
    my ($server, $text) = @_;
    my ($check) = grep { $_->{check} eq $text } @{why($server)->{checks}};
    return $check;
}

my $ONE = 'uri=/one match=fine';

wait_for { @{check($_, $ONE)->{results}} == 16 } 10, 'sixteen results'
    for $b1->address(), $b2->address();

my $up = why($b1->address());

is("$up->{node} $up->{protocol} $up->{upstream} $up->{id} $up->{state}",
   'alpha http app 0 up', 'who, and how it is');
is($up->{server}, $b1->address(), 'the address');
is_deeply([ map { $_->{check} } @{$up->{checks}} ], [ $ONE, 'uri=/two' ],
          'both checks');
is(check(0, $ONE)->{state}, 'up', 'found by its id');
is_deeply([ grep { !$_->{passed} || $_->{status} != 200 || $_->{reason} ne '' }
            @{check(0, $ONE)->{results}} ], [], 'all have passed');

my $down = why($b2->address());

is($down->{state}, 'unhealthy', 'the other is out');
is($down->{verdicts}[0]{reason}, 'header', '... for its header');

my $bad = check($b2->address(), $ONE);

is($bad->{state}, 'unhealthy', '... by the one check');
is(check($b2->address(), 'uri=/two')->{state}, 'up', '... not the other');
is($bad->{last_failure}, 'expected "X-Fine = yes", got "no"',
   '... what was expected, and what came');
is($bad->{results}[0]{reason}, 'header', '... the reason of each probe');
cmp_ok($bad->{failed}, '>=', 2, '... how many in a row');
is($bad->{of_fails}, 2, '... and how many it takes');

my ($new, $old) = map { $_->{time} } @{$bad->{results}}[0, 15];
cmp_ok($new, 'gt', $old, 'the latest result is the first');

# later

my $checks = $bad->{checks};
$node->reload(wait_old => 1);
cmp_ok(check($b2->address(), $ONE)->{checks}, '>=', $checks,
       'a reload loses nothing');

$b2->set_for('/one', headers => [ 'X-Fine: yes' ]);
wait_for { why($b2->address())->{state} eq 'up' } 5, 'it to be in again';

$b2->set_for('/two', status => 503);
wait_for { why($b2->address())->{state} eq 'unhealthy' } 5, 'out again';
is(why($b2->address())->{verdicts}[0]{reason}, 'status',
   'out for another reason');
is(check($b2->address(), 'uri=/two')->{results}[0]{status}, 503,
   '... with its status');

# a server that goes takes its history with it

call('DELETE', 'http/upstreams/app/servers/1');

# whichever worker answers

happens { (ask('upstream=app&server=' . $b2->address()))[0] == 404 } 2,
    'a server that is gone';

$b2->set_for('/two', hang => 1);
$b2->set_for('/one', hang => 1);
call('POST', 'http/upstreams/app/servers', { server => $b2->address() });

wait_for { (ask('upstream=app&server=' . $b2->address()))[0] == 200 } 2,
    'all workers to know it';

my $again = why($b2->address());
is($again->{state}, 'up', 'a new life of it has no verdict');
is_deeply([ map { $_->{checks} } @{$again->{checks}} ], [ 0, 0 ],
          '... and no history');

wait_for { $b2->count(uri => qr{^/one}) } 2, 'a probe of the new server';
pass('a new server is probed at once');

# wrong questions

is((ask('upstream=app'))[0], 400, 'no server');
is((ask('upstream=web&server=x'))[0], 404, 'no such upstream');
is((ask('protocol=udp&upstream=app&server=0'))[0], 404,
   'no such protocol');

done_testing();
