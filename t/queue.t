#!/usr/bin/perl

# "queue": who waits, in which order, for how long, and what ends it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Crowd;
use Duplex::Test;
use IO::Socket::INET;


my $b = Duplex::Backend->new(name => 'b');
my $c = Duplex::Backend->new(name => 'c');

my $conf = <<'EOC';
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    log_format waited '$uri $status $upstream_addr $upstream_queue_time';

    proxy_cache_path %%PREFIX%%/cache keys_zone=cache:1m;

    upstream one {
        zone one 256k;
        server %%b%% max_conns=1;
        queue 5 timeout=%%TIMEOUT%%;
        keepalive 4;
    }

    upstream plain {
        server %%b%% max_conns=1;
        queue 5;
    }

    upstream fails {
        zone fails 256k;
        server %%b%% max_conns=1;
        server 127.0.0.1:%%PORT_none%% max_conns=1;
        queue 5 timeout=5s;
    }

    upstream down {
        zone down 256k;
        server %%b%% down;
        server %%c%%;
        ip_hash;
        queue 50;
    }

    server {
        listen %%LISTEN_front%%;
        access_log %%PREFIX%%/access.log waited;

        proxy_http_version 1.1;
        proxy_set_header Connection "";

        location / {
            proxy_pass http://one;
        }

        location /plain { proxy_pass http://plain; }
        location /fails { proxy_pass http://fails; }
        location /down { proxy_pass http://down; }
        location /named { set $name one; proxy_pass http://$name; }

        location /cached {
            proxy_pass http://one;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_lock on;
        }

        location /text {
            error_page 502 = @text;
            proxy_pass http://one;
        }

        location @text { return 200 "text\n"; }
    }

    server {
        listen %%LISTEN_h2%% http2;
        location / { proxy_pass http://one; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}
EOC

my %vars = (b => $b->address(), c => $c->address(),  TIMEOUT => '20s');

my $node = Duplex::Node->new(conf => $conf, vars => \%vars,
                              log_level => 'info');
$node->start();
$node->expect_log(qr/no live upstreams/);
$node->expect_log(qr/queue of upstream/);
$node->expect_log(qr/connect\(\) failed/);
$node->expect_log(qr/the "listen \.\.\. http2" directive is deprecated/);


# first come, first served; one more than there is room for

busy(0.1);
my $crowd = crowd(3, '/slow', 3);
$crowd->send(1, "/n$_") for 4 .. 6;
wait_for { size() == 5 } 5, 'five wait';
$crowd->send(1, '/toomany');

my @answers = $crowd->answers(10);
is(statuses(@answers), '200 200 200 200 200 200 502', 'the last finds it full');
is_deeply([ map { $_->{uri} } $b->requests() ],
          [ qw{/slow /slow /slow /n4 /n5 /n6} ], 'in the order they came');
is(overflows(), 1, 'the API tells of it');

my @log = access();
like((grep { m{^/n6} } @log)[0], qr{^/n6 200 \S+ (0\.[4-9]|[1-9])}, 'how long it waited');
like((grep { m{^/slow} } @log)[0], qr{ 0\.000$}, 'the first did not');
like((grep { m{^/toomany} } @log)[0], qr{^/toomany 502 one 0\.000$},
     'nor did the one for which there was no room');
is(scalar(grep { / : / } @log), 0, 'no attempt is counted that was none');


# clients that leave

busy(0.3);
$crowd = crowd(1, '/a', 0);
my ($first, $second) = $crowd->send(2, '/leaves');
my ($stays) = $crowd->send(1, '/stays');
wait_for { size() == 3 } 5, 'three wait';
$crowd->leave($first, $second);
wait_for { size() == 1 } 5, 'two have left';
@answers = $crowd->answers(10);
is($answers[3]{status}, 200, 'the one after them is served');
is($b->count(uri => qr/leaves/), 0, 'they were never sent to a server');
wait_for { (grep { m{^/leaves 499 - 0\.} } access()) == 2 } 2, '499 in the log';


# error_page, names in variables, a group without a zone

busy(0.2);
$crowd = crowd(1, '/a', 0);
$crowd->send(5, '/named');
wait_for { size() == 5 } 5, 'five wait';
is(get($node->address('front'), '/text')->{body}, "text\n", 'error_page');
is(statuses($crowd->answers(10)), '200 200 200 200 200 200',
   'proxy_pass with a variable');

$crowd = crowd(4, '/plain', undef);
is(statuses($crowd->answers(10)), '200 200 200 200', 'without a zone');


# what is in the cache does not wait; what gets there while it waits neither

$b->set(headers => [ 'Cache-Control: max-age=60' ]);
is(get($node->address('front'), '/cached')->{status}, 200, 'now in the cache');
busy(0.5, headers => [ 'Cache-Control: max-age=60' ]);
$crowd = crowd(1, '/a', 0);
wait_for { $b->count(uri => qr{^/a}) > 1 } 2, 'the server is busy';

my $before = time();
is(get($node->address('front'), '/cached')->{status}, 200, 'a hit');
cmp_ok(time() - $before, '<', 0.45, 'is answered at once');

$crowd->send(3, '/cached/other');
is(statuses($crowd->answers(10)), '200 200 200 200', 'misses wait');
is($b->count(uri => qr{^/cached/other}), 1, 'and are filled by one request');

# a client leaves that fills the cache

busy(0.5, headers => [ 'Cache-Control: max-age=60' ]);
$crowd = crowd(1, '/a', 0);
my ($fills) = $crowd->send(1, '/cached/third');
wait_for { size() == 1 } 2, 'a miss waits';
$crowd->send(1, '/cached/third');
is(statuses($crowd->answers(10)), '200 200 200', 'a second request for it');


# servers that fail are no endless circle

busy(0.2);
$crowd = crowd(4, '/fails', undef);
is(statuses($crowd->answers(20)), '200 200 200 200',
   'a server that refuses gives its requests to the other');


# no server at all, until one is up

busy(0);
patch('down', 1, { down => true });
$crowd = crowd(20, '/down', undef);
wait_for { size('down') == 20 } 5, 'all servers down: requests wait';
patch('down', 1, { down => false });
is(statuses($crowd->answers(5)), join(' ', (200) x 20), 'until one is up');


# HTTP/2: streams wait, and leave

busy(0.5);
$crowd = crowd(1, '/a', 0);
my $url = 'http://' . $node->address('h2') . '/h2';
my @curls = map { curl("$url/$_", 10) } 1 .. 3;
wait_for { size() == 3 } 5, 'streams wait';
is(join(' ', map { waitpid($_, 0); $? } @curls), '0 0 0', 'HTTP/2');
$crowd->answers(5);

$crowd = crowd(1, '/a', 0);
my $curl = curl("$url/leaves", 0.3);
wait_for { size() == 1 } 5, 'a stream waits';
waitpid($curl, 0);
wait_for { size() == 0 } 5, 'and is gone with its client';
$crowd->answers(5);


# late; with several workers, over a reload

$conf =~ s/worker_processes 1/worker_processes 3/;
$node->configure($conf, TIMEOUT => '300ms');
$node->reload(wait_old => 1);    # stock counts connections anew
is(overflows(), 2, 'a reload keeps the number of overflows');

busy(1);
$crowd = crowd(1, '/a', 0);
$before = time();
my ($late) = $crowd->send(1, '/late');
$crowd->answers(5);
(undef, my $answer) = $crowd->answers(5);
is($answer->{status}, 502, 'its time is up');
cmp_ok($answer->{time} - $before, '>=', 0.3, 'not earlier');
cmp_ok($answer->{time} - $before, '<', 5, 'nor much later');
like((grep { m{^/late} } access())[0], qr{^/late 502 one (0\.[3-9]|[1-9])}, 'in the log');

$node->configure($conf, TIMEOUT => '20s');
$node->reload(wait_old => 1);

# some come while they wait, some in the moment when one is called; on a machine
# that is too busy for a worker to take its turn, the log says so: once more

for my $round (1 .. 20) {
    my $mark = $node->mark();
    my $uri = "/w$round";

    busy(0.006);
    $crowd = Duplex::Crowd->new($node->address('front'));

    for (1 .. 5) {
        $crowd->send(1, "$uri/$_");
        wait_for { size() + $b->count(uri => qr{^$uri/}) >= $_ } 5, "$_ wait";
    }

    is(statuses($crowd->answers(20)), join(' ', (200) x 5), 'three workers');

    wait_for { $b->count(uri => qr{^$uri/}) == 5 } 5, 'the last is told of';

    my @order = map { $_->{uri} } $b->requests(uri => qr{^$uri/});
    my $stalled = $node->grep_log(qr/whose turn it is does not take it/,
                                  $mark);

    next if $stalled && "@order" ne join ' ', map { "$uri/$_" } 1 .. 5;
    is_deeply(\@order, [ map { "$uri/$_" } 1 .. 5 ], 'in the order they came');
}

# no worker is told of a place in vain: forty one after the other

busy(0.01);
$before = time();
for (1 .. 8) {
    $crowd = crowd(6, '/quick', undef);
    $crowd->answers(10);
}
cmp_ok(time() - $before, '<', 3 * ($ENV{DUPLEX_SLOW} || 1),
       'a freed server is taken at once, by whichever worker');

# a reload and a killed worker, while requests wait

busy(0.4);
$crowd = crowd(1, '/a', 0);
$crowd->send(2, '/old');
wait_for { size() == 2 } 5, 'two wait';
$node->reload();
is(statuses($crowd->answers(10)), '200 200 200', 'old workers serve theirs');

wait_for { !$node->leaving_workers() } 10, 'and leave';

busy(1);
$crowd = crowd(1, '/a', 0);
$crowd->send(3, '/killed');
wait_for { size() == 3 } 5, 'three wait';
$node->expect_log(qr/exited on signal 9/);
$node->kill9_worker($_) for $node->workers();
$crowd->answers(5);
busy(0);
wait_for { size() == 0 } 5, 'those of dead workers do not count';

done_testing();


sub busy {
    my ($delay, @more) = @_;
    $b->set(delay => $delay, @more);
}


sub curl {
    my ($url, $limit) = @_;

    my $pid = fork() // die "fork: $!";
    return $pid if $pid;
    exec(qw{curl -sf -o /dev/null --http2-prior-knowledge -m}, $limit, $url);
}


# the first ones, of which "waiting" wait
sub crowd {
    my ($n, $uri, $waiting) = @_;

    my $crowd = Duplex::Crowd->new($node->address('front'));
    my $seen = $b->count(uri => qr/^\Q$uri/);

    $crowd->send($n, $uri);

    wait_for { $b->count(uri => qr/^\Q$uri/) > $seen } 5, "$uri is served"
        if defined $waiting && !$waiting;
    return $crowd;
}


sub statuses { return join ' ', map { $_->{status} // 'none' } @_ }

sub group {
    my ($name) = @_;
    my ($status, $group) = api_get($node->address('api'),
                                   "/api/9/http/upstreams/$name");
    return $group;
}

sub size { return group($_[0] || 'one')->{queue}{size} }
sub overflows { return group('one')->{queue}{overflows} }

sub patch {
    my ($group, $id, $what) = @_;
    api_patch($node->address('api'),
              "/api/9/http/upstreams/$group/servers/$id", $what);
}

sub access {
    open(my $f, '<', $node->prefix() . '/access.log') or return;
    chomp(my @lines = <$f>);
    return @lines;
}
