#!/usr/bin/perl

# What the verdicts of two nodes come to: by policy "own" each obeys its own,
# by "any" one node's is enough for both, by "all" both must say so.  A node
# that is silent, or has other checks, has no opinion.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my @policies = qw/own any all/;

my $conf = <<'EOC' . (join '', map { <<"EOU" } @policies) . <<'EOC';
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    proxy_bind %%ADDRESS%%;

    server {
        listen %%LISTEN_api%%;

        location /api {
            api;
        }
    }
EOC
    upstream $_ {
        zone $_ 256k;
        %%SERVERS%%
        duplex_health_policy $_;
    }

    server {
        listen %%LISTEN_$_%%;

        location / {
            proxy_pass http://$_;
            proxy_next_upstream off;
            health_check interval=200ms uri=/health/$_%%other%%;
        }
    }
EOU
}

stream {
    upstream mail {
        zone mail 256k;
        %%SERVERS%%
        duplex_health_policy any;
    }

    match alive {
        send "GET /health/mail HTTP/1.0\r\nConnection: close\r\n\r\n";
        expect " 200 ";
    }

    server {
        listen %%LISTEN_mail%%;
        proxy_pass mail;
        proxy_bind %%ADDRESS%%;
        health_check interval=200ms match=alive;
    }

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my $pair = Duplex::Pair->new(backends => 2, conf => $conf,
                             vars => { other => '' })->start();

my ($node_a, $node_b) = $pair->nodes();
my ($b1, $b2) = $pair->backends();
my %node = (a => $node_a, b => $node_b);

sub peer { return $node{$_[0]}->peers($_[1])->{$b1->address()} }

# "a up, b unhealthy (not counted)" as "a" shows it
sub verdicts {
    my ($node, $group) = @_;
    return join ', ', sort map {
        "$_->{node} $_->{state}" . ($_->{counts} ? '' : ' (not counted)')
    } @{peer($node, $group)->{verdicts}};
}

# what both nodes do with b1
sub states {
    my ($group) = @_;
    return join ' ', map { peer($_, $group)->{state} } qw/a b/;
}

sub come_to {
    my ($want, $name) = @_;

    for my $group (@policies, 'stream/mail') {
        (my $key = $group) =~ s/.*\///;
        next if !$want->{$key};
        happens { states($group) eq $want->{$key} } 10,
            "$name: $key: $want->{$key}";
    }
}

for my $group (qw/any all stream\/mail/) {
    for my $node (qw/a b/) {
        happens { verdicts($node, $group) eq 'a up, b up' } 10,
            "$group: both verdicts count for $node";
    }
}

is(verdicts('a', 'own'), 'a up, b up (not counted)', 'own: only its own');

# they disagree

my %mark = map { $_ => $node{$_}->mark() } qw/a b/;

$b1->set_for('/health from 127.0.0.11', status => 503);

come_to({ own => 'unhealthy up', any => 'unhealthy unhealthy',
          all => 'up up', mail => 'unhealthy unhealthy' }, 'a fails');

is(verdicts('b', 'any'), 'a unhealthy, b up', 'any: b shows why');
is(peer('b', 'any')->{disputed}, true, '... and that they disagree');
is(peer('b', 'own')->{disputed}, undef, 'own: there is nothing to agree on');

for my $node (qw/a b/) {
    like($node{$node}->wait_log(qr/disagree on peer.* upstream "any"/, 5,
                                $mark{$node}),
         qr/: \w up|unhealthy, \w up|unhealthy; by policy "any" it is unhe/,
         "$node logs it");
}

# requests go the same ways

sub served {
    my ($node, $group, $n) = @_;
    my %served;
    $served{$node{$node}->get('/', listen => $group)->{headers}{'x-backend'}
            || 'none'}++ for 1 .. $n;
    return join ' ', sort keys %served;
}

is(served('b', 'any', 10), 'b2', 'any: b sends it no requests, either');
is(served('a', 'all', 10), 'b1 b2', 'all: a sends it requests still');
is(served('a', 'own', 10), 'b2', 'own: a does not');
is(served('b', 'own', 10), 'b1 b2', 'own: b does');

# both fail, and are well again

$b1->set_for('/health from 127.0.0.12', status => 503);

come_to({ map { $_ => 'unhealthy unhealthy' } @policies, 'mail' }, 'both');

$b1->set_for('/health from 127.0.0.11');

come_to({ own => 'up unhealthy', any => 'unhealthy unhealthy',
          all => 'up up' }, 'b fails');

# who is silent has no opinion; his last verdict is shown

$node_b->kill9();
my $killed = time();

come_to_a({ own => 'up', any => 'up', all => 'up' }, 'b is dead');
cmp_ok(time() - $killed, '<', 5 * ($ENV{DUPLEX_SLOW} || 1),
       '... which is noticed');
is(verdicts('a', 'any'), 'a up, b unhealthy (not counted)',
   '... and what it had found is shown');

sub come_to_a {
    my ($want, $name) = @_;
    happens { peer('a', $_)->{state} eq $want->{$_} } 10,
        "$name: $_: $want->{$_}" for sort keys %$want;
}

# back again, with another check: it does not vote

$node_b->configure($conf, other => '/other');
$node_b->start();

happens { verdicts('b', 'any') =~ /b unhealthy/ } 10, 'b is back';
wait_for { verdicts('a', 'any') =~ /b unhealthy/ } 10, 'a hears of it';

is(verdicts('a', 'any'), 'a up, b unhealthy (not counted)',
   'the verdict of another check is not counted');
is(peer('a', 'any')->{state}, 'up', '... nor obeyed');

# the same check again, by a reload

$node_b->configure($conf, other => '');
$node_b->reload();

come_to({ own => 'up unhealthy', any => 'unhealthy unhealthy',
          all => 'up up' }, 'the same check');

# a node that sees no server at all is cut off

$b1->set_for('/health from 127.0.0.12', status => 503);
$b2->set_for('/health from 127.0.0.12', status => 503);

happens { peer('a', 'any')->{state} eq 'up' } 10,
    'a node that sees no server has no opinion';
is($node_a->peers('any')->{$b2->address()}{state}, 'up', '... on none');
is(states('all'), 'up up', '... and asks the other one by "all"');

done_testing();
