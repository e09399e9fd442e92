#!/usr/bin/perl

# PATCH of "down" and "drain" is in force in all workers when it is answered,
# survives a reload, and what a client sends back unchanged is accepted.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my ($b1, $b2) = map { Duplex::Backend->new(name => "b$_") } 1 .. 2;

my $conf = <<'EOC';
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
        server %%be2%% weight=2 max_conns=9 max_fails=3 fail_timeout=1m;
    }

    upstream fixed {
        zone fixed 256k;
        server %%be1%% down;
        server %%be2%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
        }

        location /fixed {
            proxy_pass http://fixed;
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

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $b1->address(), be2 => $b2->address() },
    conf => $conf,
);

$node->start();

my $server = '/api/9/http/upstreams/app/servers';

is_deeply(used('/'), { b1 => 10, b2 => 20 }, 'both are used');

# down

patch(0, { down => true }, { down => true });
is_deeply(used('/'), { b2 => 30 }, 'down: not used at once, in any worker');
is($node->peer_state('app', $b1->address()), 'down', 'state');

patch(0, { down => true }, { down => true });
patch(0, { down => false }, { down => false });
is_deeply(used('/'), { b1 => 10, b2 => 20 }, 'up again');
is($node->peer_state('app', $b1->address()), 'up', 'state');

# drain

patch(0, { drain => true }, { down => false, drain => true });
is_deeply(used('/'), { b2 => 30 }, 'draining: nothing new goes there');
is($node->peer_state('app', $b1->address()), 'draining', 'state');

patch(0, { drain => false }, { down => false });
is_deeply(used('/'), { b1 => 10, b2 => 20 }, 'drain: false ends draining');

patch(0, { drain => true }, { down => false, drain => true });
patch(0, { down => false }, { down => false });
is_deeply(used('/'), { b1 => 10, b2 => 20 }, 'down: false ends draining');

# the two are one field

patch(0, { down => true, drain => true }, { down => true });
patch(0, { drain => false }, { down => true });
patch(0, { down => false, drain => true }, { down => false, drain => true });
patch(0, { down => true, drain => false }, { down => true });
patch(0, { drain => true }, { down => false, drain => true });
patch(0, { down => false, drain => false }, { down => false });
patch(0, {}, { down => false });

# all fields, as clients send them

my %all = (
    server => $b2->address(), weight => 2, max_conns => 9, max_fails => 3,
    fail_timeout => '60s', slow_start => '0s', route => '', backup => false,
);

patch(1, { %all, id => 1, down => true }, { %all, id => 1, down => true });
patch(1, { %all, service => '', down => false }, { down => false });
patch(1, { fail_timeout => '1m', slow_start => '0', down => false },
      { down => false });

for my $change ([ weight => 0, 'UpstreamBadWeight' ],
                [ weight => -1, 'UpstreamBadWeight' ],
                [ weight => 65536, 'UpstreamBadWeight' ],
                [ max_conns => -1, 'UpstreamBadMaxConns' ],
                [ max_fails => -1, 'UpstreamBadMaxFails' ],
                [ fail_timeout => 'soon', 'UpstreamBadFailTimeout' ],
                [ slow_start => 'soon', 'UpstreamBadSlowStart' ],
                [ route => 'x' x 33, 'UpstreamBadRoute' ],
                [ service => 'http', 'UpstreamConfNoResolver' ],
                [ server => 'be1.example', 'UpstreamConfNoResolver' ],
                [ server => '127.0.0.1:99999', 'UpstreamBadAddress' ],
                [ server => '', 'UpstreamBadAddress' ],
                [ server => $b1->address(), 'EntryExists', 409 ],
                [ backup => true, 'UpstreamConfFormatError' ],
                [ weight => '3', 'UpstreamConfFormatError' ],
                [ id => 0, 'UpstreamConfFormatError' ])
{
    my ($name, $value, $code, $want) = @$change;
    my ($status, $data) = $node->api_patch("$server/1",
        { %all, down => true, $name => $value });

    $data->{error}{code} //= 'none';
    is("$status $data->{error}{code}", ($want || 400) . " $code",
       "$name is refused");
}

is($node->peer_state('app', $b2->address()), 'up',
   'a body that is refused changes nothing');

# a server that is down in the file

is_deeply(used('/fixed'), { b2 => 30 }, 'down in the file');

my $answer = $node->patch_peer('fixed', $b1->address(), { down => false });

is($answer->{down}, false, 'put up by the administrator');
is_deeply(used('/fixed'), { b1 => 15, b2 => 15 }, 'is used at once');

# reload

patch(0, { down => true }, { down => true });

$node->reload(wait_old => 1);

is_deeply(used('/'), { b2 => 30 }, 'after a reload: still down');
is_deeply(used('/fixed'), { b1 => 15, b2 => 15 }, 'after a reload: still up');
is_deeply((api_get($node->address('api'), "$server/0"))[1]{down}, true,
          'after a reload: shown');
is((api_get($node->address('api'), '/api/9/nginx'))[1]{generation}, 2,
   'the generation counts');

is(scalar(my @lines = $node->grep_log(qr/peer "\S+" in upstream "fixed"/)), 1,
   'one line for one change');

done_testing();


# which backends answer 30 requests, each on a connection of its own
sub used {
    my ($uri) = @_;
    my %used;

    $used{$node->get($uri)->{headers}{'x-backend'} // 'none'}++ for 1 .. 30;
    return \%used;
}


sub patch {
    my ($id, $body, $want) = @_;

    my $what = JSON::PP->new->canonical->encode($body);
    my ($status, $data) = $node->api_patch("$server/$id", $body);

    is($status, 200, "$id $what");

    my %got = map { $_ => $data->{$_} } keys %$want;
    is_deeply(\%got, $want, "$id $what: the new object");
    is(exists $data->{drain} ? 1 : 0, exists $want->{drain} ? 1 : 0,
       "$id $what: drain only when true");

    is_deeply((api_get($node->address('api'), "$server/$id/"))[1], $data,
              "$id $what: GET says the same");
}
