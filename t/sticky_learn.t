#!/usr/bin/perl

# Sessions are learned from answers, found in requests, moved when their
# server cannot serve, and end with their time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use IO::Socket::INET;


my %b = map {
    $_ => Duplex::Backend->new(name => $_, set => { sessions => 1 })
} qw/a b c/;

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
        zone app 64k;
        server %%a%% fail_timeout=1s;
        server %%b%% fail_timeout=1s;
        server %%c%% fail_timeout=1s;
        sticky learn create=$upstream_cookie_sid create=$upstream_http_x_session
               lookup=$cookie_sid lookup=$arg_sid zone=app_sessions:1m;
        keepalive 4;
    }

    upstream header {
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=header_sessions:64k header;
        server %%a%%;
        server %%b%%;
    }

    upstream late {
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=late_sessions:64k;
        server %%a%%;
        server %%b%%;
    }

    upstream short {
        zone short 64k;
        least_conn;
        server %%a%%;
        server %%b%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=short_sessions:64k timeout=1s;
    }

    server {
        listen %%LISTEN_front%%;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_next_upstream error timeout http_500;

        location / { proxy_pass http://app; }
        location /settled { return 204; }
        location /header { proxy_pass http://header; proxy_limit_rate 20k; }
        location /late { proxy_pass http://late; proxy_limit_rate 20k; }
        location /short { proxy_pass http://short; }
    }
}
EOC
);

$node->start();


# A session is learned when the answer has ended, and the client may have it
# a moment before that: the second request, which the same worker handles,
# comes after both.

sub settle {
    my ($uri, $cookie) = @_;

    my $c = Duplex::Connection->new($node->address('front'));
    my $r = $c->get($uri, cookie => $cookie);

    $c->get('/settled');
    return $r;
}


# the backend and the session of a new client

sub client {
    my ($uri) = @_;

    my $r = settle($uri);
    return ($r->{headers}{'x-backend'}, "sid=$r->{cookies}{sid}");
}

sub ask {
    my ($uri, $cookie, $n) = @_;

    return join '', map {
        $node->get($uri, cookie => $cookie)->{headers}{'x-backend'} // '-'
    } 1 .. ($n || 6);
}


# learn and look up

for (1 .. 3) {
    my ($name, $cookie) = client('/');
    is(ask('/', $cookie), $name x 6, "session $_ stays on $name");
}

like(ask('/', 'sid=unheard-of', 12), qr/^(?=.*a)(?=.*b)(?=.*c)/,
     'an unknown session is balanced');

$b{$_}->set(headers => [ "X-Session: x$_" ]) for keys %b;

my $r = settle('/');
my $name = $r->{headers}{'x-backend'};
is(join('', map { $node->get("/?sid=x$name")->{headers}{'x-backend'} } 1 .. 6),
   $name x 6, 'further "create" and "lookup" parameters');

$b{$_}->set(sessions => 1) for keys %b;

# a session survives a reload (old workers have stock peers of their own and
# would not know of the failures below)

($name, my $cookie) = client('/');
$node->reload(wait_old => 1);
is(ask('/', $cookie), $name x 6, 'a reload keeps sessions');

# its server fails: the request is answered by another, and there it stays,
# even when the first one is back

$b{$name}->refuse();

my $first = settle('/', $cookie);
my $next = $first->{headers}{'x-backend'};

is($first->{status}, 200, 'no request fails with its server');
isnt($next, $name, 'it is another server\'s');
is(ask('/', $cookie), $next x 6, 'and the session goes there');

$b{$name}->accept();
happens {
    my %seen = map { $node->get('/')->{headers}{'x-backend'} => 1 } 1 .. 6;
    $seen{$name};
} 5, 'the first server is back';

is(ask('/', $cookie), $next x 6, 'the session stays where it went');

# a retry does not go to the server that failed

($name, $cookie) = client('/');
$b{$name}->set(status => 500);

my $since = time();
is(settle('/', $cookie)->{status}, 200, 'a 500 is retried');
is($b{$name}->count(since => $since), 1, 'but not where it came from');
isnt(ask('/', $cookie, 1), $name, 'and the session has moved');

$b{$name}->set(sessions => 1);

# an answer that never came moves no session

($name, $cookie) = client('/');
$b{$name}->set(hang => 1);

my $c = Duplex::Connection->new($node->address('front'), timeout => 0.3);
$c->get('/hang', cookie => $cookie);
$c->close();

wait_for { $b{$name}->count(uri => qr{^/hang}) } 5, 'the request';
$b{$name}->set(sessions => 1);
is(ask('/', $cookie), $name x 6, 'a client that leaves moves no session');

# "header" learns with the header, otherwise with the end of the answer

for my $uri ('/header', '/late') {
    $b{$_}->set(sessions => 1, body => 'x' x 100000) for keys %b;

    my $s = IO::Socket::INET->new($node->address('front'));
    print $s "GET $uri HTTP/1.1\r\nHost: a\r\n\r\n";

    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread($s, $head, 4096, length $head) or last;
    }

    my ($sid) = $head =~ /Set-Cookie: (sid=[^\r]*)/;
    ($name) = $head =~ /X-Backend: (\w)/;

    $b{$_}->set(sessions => 1) for keys %b;

    my $stays = ask($uri, $sid) eq $name x 6;
    is($stays, $uri eq '/header', "$uri while the answer is under way");

    close($s);
}

# a use prolongs a session, and without one it ends

my ($moved, $uses, $last);

for (1 .. 5) {
    ($name, $cookie) = client('/short');
    ($moved, $uses, $last) = (0, 0, time());

    while ($uses < 25 && time() - $last < 0.5) {
        $last = time();
        $moved++ if ask('/short', $cookie, 1) ne $name;
        $uses++;
        sleep 0.1;
    }

    last if $uses == 25;        # else this machine stood still meanwhile
}

is($uses, 25, 'used for 2.5 s');
is($moved, 0, 'a used session lives on');

happens {
    sleep 1.1;          # no use of it for so long
    ask('/short', $cookie) =~ /a.*b|b.*a/;
} 5, 'an unused session ends';

done_testing();
