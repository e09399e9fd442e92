#!/usr/bin/perl

# "slow_start" that was given by the API only works as that of the file, and a
# server that grows goes on growing over a reload, in http and stream.  Where
# nobody grows, nobody wakes up for it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


# so slow that it is far from its end whatever the machine is busy with

my $ramp = '300s';
my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/b1 b2 b3/;

my $group = <<'EOG';
        server %%b1%%;
        server %%b2%% down;
        server %%b3%%;
EOG

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<"EOC",
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    upstream rr {
        zone rr 256k;
$group
    }

    upstream least {
        zone least 256k;
        least_conn;
$group
    }

    upstream file {
        zone file 256k;
        server %%b1%% slow_start=$ramp;
        server %%b3%%;
    }

    server {
        listen %%LISTEN_front%%;
        location ~ ^/(\\w+) { proxy_pass http://\$1; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}

stream {
    upstream rr {
        zone stream_rr 256k;
$group
    }

    server {
        listen %%LISTEN_stream%%;
        proxy_pass rr;
    }
}
EOC
);

$node->start();

quiet('with slow start in the file');

my @groups = ('http/rr', 'http/least', 'stream/rr');

for my $group (@groups) {
    $node->patch_peer($group, $b{b1}->address(), { slow_start => $ramp });
    $node->patch_peer($group, $b{b2}->address(), { down => false });

    near(share($group, 'b1', 60), 1 / 3, "$group: its share as before");

    $node->patch_peer($group, $b{b1}->address(), { down => $_ })
        for true, false;
    cmp_ok(share($group, 'b1', 60), '<', 0.1, "$group: begins low");
    cmp_ok(abs(share($group, 'b2', 60) - 0.5), '<', 0.1,
           "$group: the others share the rest");
}

# b2 is down in the file and up for the administrator: no reason to begin

$node->patch_peer($_, $b{b2}->address(), { slow_start => $ramp }) for @groups;

for my $time ('first', 'second') {
    $node->reload(wait_old => 1);

    for my $group (@groups) {
        cmp_ok(share($group, 'b1', 60), '<', 0.15,
               "$group: it grows on after the $time reload");
        cmp_ok(share($group, 'b2', 60), '>', 0.4,
               "$group: who did not grow does not begin");
    }
}

# no slow start any more: the whole share, soon

for my $group (@groups) {
    $node->patch_peer($group, $b{b1}->address(), { slow_start => '0s' });
    wait_for { abs(share($group, 'b1', 60) - 1 / 3) < 0.04 } 5,
        "$group: the whole share";
    pass("$group: without slow start it has its whole share");
}

my ($status, $servers) = $node->api_get('/api/9/http/upstreams/rr/servers');
is_deeply([ map { $_->{weight} } @$servers ], [ 1, 1, 1 ],
          'the API shows the weights of the file');

quiet('when all have grown');

done_testing();


# a worker ticks four times a second, and the growing twenty times more
sub quiet {
    my ($when) = @_;
    my $best;

    for (1 .. 8) {
        my %before = map { $_ => switches($_) } $node->workers();
        my $start = time();

        sleep(0.8);

        my ($most) = sort { $b <=> $a }
            map { (switches($_) - $before{$_}) / (time() - $start) }
            keys %before;

        $best = $most if !defined $best || $most < $best;
        last if $best <= 12;
    }

    cmp_ok($best, '<=', 12, "no worker is busy $when");
}


sub switches {
    my ($pid) = @_;
    open(my $f, '<', "/proc/$pid/status") or return 0;
    my ($n) = join('', <$f>) =~ /^voluntary_ctxt_switches:\s+(\d+)/m;
    return $n;
}


# of n requests, one after the other
sub share {
    my ($group, $name, $n) = @_;

    my ($protocol, $upstream) = split m{/}, $group;
    my ($at, $uri) = $protocol eq 'http' ? ('front', "/$upstream")
                                         : ('stream', '/');

    my $before = $b{$name}->count();
    get($node->address($at), $uri) for 1 .. $n;
    return ($b{$name}->count() - $before) / $n;
}


sub near {
    my ($is, $should, $what) = @_;
    cmp_ok(abs($is - $should), '<', 0.05,
           sprintf("%s: %.3f, ideal %.3f", $what, $is, $should));
}
