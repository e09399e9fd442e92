#!/usr/bin/perl

# Four workers write and read one table of sessions while they are killed -9
# at random: no answer contradicts what an oracle knows, no lock stays taken,
# and no session is lost but those whose first answer never came.
#
# STICKY_SECONDS=60 is the long run; 2 otherwise.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Sessions;
use Duplex::Test;


my $seconds = $ENV{STICKY_SECONDS} || 2;

my @servers = map {
    Duplex::Node->new(name => "server$_", address => "127.0.0.2$_",
                      log_level => 'error', conf => Duplex::Sessions::conf($_))
                ->start()
} 1 .. 3;

# no "zone" of the group: who dies within nginx's own lock, dies with it

my $node = Duplex::Node->new(
    vars => { servers => join "\n", map { 'server ' . $_->address('back')
                                          . ' max_fails=0;' } @servers },
    conf => <<'EOC')->start();
%%MAIN%%
worker_processes 4;

events {
    worker_connections 1024;
}

http {
    %%HTTP%%

    keepalive_requests 1000000000;

    upstream app {
        %%servers%%
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:16m timeout=60s header;
        keepalive 64;
        keepalive_requests 1000000000;
    }

    server {
        listen %%LISTEN_front%% reuseport;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream off;
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

$node->expect_log(qr/worker process \d+ exited on signal 9/);

my $sessions = Duplex::Sessions->new(sessions => 4000, connections => 32,
                                     depth => 4);

$sessions->hammer($node->address('front'), $seconds);

my $kills = 0;
my $until = time() + $seconds;

while (time() < $until) {
    sleep rand 0.1;

    my @workers = $node->workers() or next;
    $kills++ if kill 'KILL', $workers[rand @workers];
}

my $is = $sessions->answer();
my $said = join ', ', map { "$_ $is->{$_}" } sort keys %$is;

is($is->{failed}, 0, "of $is->{asked} requests none was refused") or diag($said);
is($is->{wrong}, 0, "with $kills kills no session went to a wrong server")
    or diag($said);
cmp_ok($is->{lost}, '>', 0, "$is->{lost} requests were under way in a worker "
       . 'that was killed');
cmp_ok($kills, '>', $seconds, "$kills kills");

wait_for { $node->workers() == 4 } 10, 'the last worker to be born';

my $table = $node->api_get('/api/duplex/sessions')->{sessions};

cmp_ok($table->{sessions}, '<=', $is->{names}, 'no session is there twice');

# in a longer run some end
cmp_ok($table->{sessions}, '>=', $is->{names} - $is->{unsure}, 'and none is lost')
    if $seconds < 30;

# once more each, on workers that live on

my $again = $sessions->ask($node->address('front'));

is("$again->{asked} $again->{failed} $again->{wrong}", '4000 0 0',
   'each is where it was');

done_testing();
