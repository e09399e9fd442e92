#!/usr/bin/perl

# "duplex_panic": when too few servers are healthy, all are used, but those
# that people have taken out.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/b1 b2 b3 b4 b5/;

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%b1%%;
        server %%b2%%;
        server %%b3%%;
        server %%b4%%;
        server %%b5%% down;
        duplex_panic 50%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_next_upstream off;
            health_check interval=50ms uri=/health;
        }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}

stream {
    upstream app {
        zone stream_app 256k;
        server %%b1%%;
        duplex_panic 100%;
    }
}
EOC
);

$node->start();

is_deeply(panic(), { active => false, threshold => 50, healthy => 4,
                     counted => 4 }, 'the API tells the numbers');

health(500, qw/b1 b2/);
used('b3 b4');
is(panic()->{active}, false, 'half of them is enough');

health(500, 'b3');
wait_for { panic()->{active} } 5, 'a quarter is not';
used('b1 b2 b3 b4');
is($node->peer_state('http/app', $b{b1}->address()), 'unhealthy',
   'their state is what it is');
like($node->log(), qr/upstream "app" is now in panic: 1 of 4 servers are healthy, fewer than 50%: all are used/,
     'the log tells of it');
is(scalar(my @n = $node->log() =~ /is now in panic/g), 1, 'once');

$node->reload();
is(panic()->{active}, true, 'also after a reload');
used('b1 b2 b3 b4');

# people decide about their servers

$node->patch_peer('http/app', $b{b1}->address(), { down => true });
used('b2 b3 b4');
is(panic()->{counted}, 3, 'and what they took out does not count');
$node->patch_peer('http/app', $b{b2}->address(), { down => true });
wait_for { !panic()->{active} } 5, 'one of two is half again';
used('b4');
$node->patch_peer('http/app', $b{$_}->address(), { down => false })
    for qw/b1 b2/;
wait_for { panic()->{active} } 5, 'one of four is not';

health(200, 'b1');
wait_for { !panic()->{active} } 5, 'over';
used('b1 b4');
$node->wait_log(qr/upstream "app" is no longer in panic: 2 of 4/, 5);

done_testing();


sub health {
    my ($status, @names) = @_;
    $b{$_}->set_for('/health', status => $status) for @names;

    wait_for {
        my $state = $status == 200 ? 'up' : 'unhealthy';
        !grep { $node->peer_state('http/app', $b{$_}->address()) ne $state }
            @names;
    } 5, "@names $status";
}

sub panic {
    my ($status, $group) = $node->api_get('/api/9/http/upstreams/app');
    return $group->{panic};
}

sub used {
    my ($wanted) = @_;

    # each worker learns of it by itself

    wait_for {
        my %seen;
        for (1 .. 24) {
            my $body = get($node->address('front'), '/')->{body};
            chomp $body;
            $seen{$body}++;
        }
        join(' ', sort keys %seen) eq $wanted;
    } 5, "used: $wanted";

    pass("used: $wanted");
}
