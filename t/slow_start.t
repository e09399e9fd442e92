#!/usr/bin/perl

# "slow_start": the share of a server that has recovered follows the ramp, in
# http and stream, by round robin and least_conn, after "down" and
# after a quarantine.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $ramp = 2.5;
my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/b1 b2 b3/;

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    upstream rr {
        zone rr 256k;
        server %%b1%% slow_start=2500ms fail_timeout=1s;
        server %%b2%% slow_start=2500ms;
        server %%b3%%;
    }

    upstream least {
        zone least 256k;
        least_conn;
        server %%b1%% slow_start=2500ms;
        server %%b2%% slow_start=2500ms weight=2;
        server %%b3%%;
    }

    server {
        listen %%LISTEN_rr%%;
        location / { proxy_pass http://rr; }
    }

    server {
        listen %%LISTEN_least%%;
        location / { proxy_pass http://least; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}

stream {
    upstream rr {
        zone stream_rr 256k;
        server %%b1%% slow_start=2500ms;
        server %%b2%% slow_start=2500ms;
        server %%b3%%;
    }

    server {
        listen %%LISTEN_stream%%;
        proxy_pass rr;
    }
}
EOC
);

$node->start();

for my $case ([ 'rr', 'http/rr', 1 ], [ 'least', 'http/least', 3 ],
              [ 'stream', 'stream/rr', 1 ])
{
    my ($listen, $group, $others) = @$case;

    near(share($listen, 'b1', 90), 1 / ($others == 3 ? 4 : 3),
         "$group: an equal share before");

    $node->patch_peer($group, $b{b1}->address(), { down => true });
    is(share($listen, 'b1', 30), 0, "$group: none while it is down");

    my $begin = time();
    $node->patch_peer($group, $b{b1}->address(), { down => false });

    # the middle of what is measured against the ramp there

    for my $tenth (1, 3, 5, 7, 9) {
        my $at = $begin + $ramp * ($tenth / 10 - 0.05);
        sleep($at - time()) if $at > time();

        my $from = time();
        my $share = share($listen, 'b1', 200);
        my $grown = (($from + time()) / 2 - $begin) / $ramp;

        $grown = 1 if $grown > 1;
        my $ideal = $grown / ($grown + ($others == 3 ? 3 : 2));

        near($share, $ideal, "$group: in tenth $tenth of the ramp");
    }

    sleep($begin + $ramp + 0.3 - time()) if time() < $begin + $ramp + 0.3;
    near(share($listen, 'b1', 90), 1 / ($others == 3 ? 4 : 3),
         "$group: and the whole share after it");
}

# after a quarantine: from the first success on

$b{b1}->set(close => 'before');
share('rr', 'b1', 30);
$b{b1}->set();
$node->expect_log(qr/upstream prematurely closed/);

my $mark = $b{b1}->count();
wait_for { share('rr', 'b1', 10); $b{b1}->count() > $mark } 5,
    'a request succeeds after the quarantine';

cmp_ok(share('rr', 'b1', 100), '<', 0.2, 'then it begins low');
my $begin = time();
wait_for { share('rr', 'b1', 60) > 0.3 } 8, 'and it has its share again';
cmp_ok(time() - $begin, '>', $ramp / 2, 'after a while');

# the API shows weights as they were given

my ($status, $servers) = $node->api_get('/api/9/http/upstreams/least/servers');
is_deeply([ map { "$_->{weight} $_->{slow_start}" } @$servers ],
          [ '1 2500ms', '2 2500ms', '1 0s' ], 'the API');

# a balancer that stands after the servers

my $bad = Duplex::Node->new(conf => <<'EOC');
%%MAIN%%
events { }
http { upstream app { server 127.0.0.1:1 slow_start=1s; hash $uri; } }
EOC

my ($ok, $said) = $bad->test_config();
like($said, qr/balancing method of upstream "app" does not support parameter "slow_start=1000ms"/,
     'hash after the server');
ok(!$ok, 'is refused');

done_testing();


# the share of n requests, one after the other, that went to this backend
sub share {
    my ($listen, $name, $n) = @_;

    my $before = $b{$name}->count();
    get($node->address($listen), '/') for 1 .. $n;
    return ($b{$name}->count() - $before) / $n;
}

sub near {
    my ($is, $should, $what) = @_;
    cmp_ok(abs($is - $should), '<', 0.035,
           sprintf("$what: %.3f, ideal %.3f", $is, $should));
}
