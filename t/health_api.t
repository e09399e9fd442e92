#!/usr/bin/perl

# What the API says of checks and verdicts, and that a server that is taken
# out of the file and comes back begins anew.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my ($b1, $b2, $b3, $b4) = map { Duplex::Backend->new(name => "b$_") } 1 .. 4;

my $node = Duplex::Node->new(
    name => 'alpha',
    vars => { be1 => $b1->address(), be2 => $b2->address(),
              be3 => $b3->address(), be4 => $b4->address() },
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
        server %%be2%% backup;
        server %%be3%%;
    }

    upstream plain {
        zone plain 256k;
        server %%be4%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_read_timeout 5s;
            health_check interval=100ms mandatory;
        }

        location /plain {
            proxy_pass http://plain;
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

$b2->set(status => 500);
$b3->set(hang => 1);

my $start = time();
$node->start();

sub peer {
    my ($backend, $group) = @_;
    return $node->peers($group || 'app')->{$backend->address()};
}

wait_for { $b3->count() } 5, 'the probe that hangs';

is(peer($b3)->{state}, 'checking', 'no verdict yet');
is_deeply(peer($b3)->{verdicts}, [], '... of nobody');
is_deeply(peer($b3)->{health_checks},
          { checks => 0, fails => 0, unhealthy => 0 }, '... nothing counted');

$b3->set();

wait_for { $b1->count() >= 3 } 5, 'probes';
wait_for { peer($b1)->{health_checks}{checks} >= 3 } 5, 'and their results';

my $up = peer($b1);

is($up->{state}, 'up', 'up');
is($up->{health_checks}{fails}, 0, '... no fails');
is($up->{health_checks}{unhealthy}, 0, '... never unhealthy');
is($up->{health_checks}{last_passed}, JSON::PP::true(), '... last passed');
is($up->{active}, 0, '... probes are not active connections');
is($up->{requests}, 0, '... and not requests');
ok(!exists $up->{selected}, '... nor a selection');

my ($verdict, @more) = @{$up->{verdicts}};

is(@more, 0, 'one verdict');
is("$verdict->{node} $verdict->{state} <$verdict->{reason}>", 'alpha up <>',
   '... of this node');
like($verdict->{since}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, '... dated');

my $down = peer($b2);

is($down->{state}, 'unhealthy', 'a backup server is checked, too');
is($down->{health_checks}{unhealthy}, 1, '... became unhealthy once');
cmp_ok($down->{health_checks}{fails}, '>=', 2, '... fails are counted');
is($down->{health_checks}{last_passed}, JSON::PP::false(), '... last failed');
is($down->{verdicts}[0]{reason}, 'status', '... the reason');

is(peer($b4, 'plain')->{state}, 'up', 'without a check: up');

# counters and verdicts outlive a reload

my $checks = peer($b2)->{health_checks}{checks};
$node->reload(wait_old => 1);

cmp_ok(peer($b2)->{health_checks}{checks}, '>=', $checks,
       'a reload keeps the counters');
is(peer($b2)->{verdicts}[0]{since}, $down->{verdicts}[0]{since},
   '... and the verdict');

# out of the file, and back again

my $conf = $node->conf();
(my $without = $conf) =~ s/.*%%be2%%.*\n//;

$node->configure($without);
$node->reload(wait_old => 1);

my $seen = $b1->count();
wait_for { $b1->count() > $seen + 1 } 5, 'probes by the new workers';

$b2->set(hang => 1);
$node->configure($conf);
$node->reload(wait_old => 1);

is(peer($b2)->{state}, 'checking', 'a server that comes back is new');
is_deeply(peer($b2)->{verdicts}, [], '... without a verdict');

done_testing();
