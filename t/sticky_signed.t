#!/usr/bin/perl

# "signed": only a cookie that this pair has set leads anywhere, and keys can
# be rotated; "strict": 503 rather than another server; $sticky_status and
# $sticky_server say what became of a request.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my %b = map {
    $_ => Duplex::Backend->new(name => $_, set => { sessions => 1 })
} qw/a b/;

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    log_format sticky '$arg_n $uri $sticky_status $sticky_server $status';

    upstream signed {
        zone signed 64k;
        server %%a%% route=a;
        server %%b%% route=b;
        sticky cookie id signed=%%PREFIX%%/keys;
    }

    upstream twin {
        server %%a%% route=a;
        server %%b%% route=b;
        sticky cookie id signed=%%PREFIX%%/keys;
    }

    upstream strict {
        zone strict 64k;
        server %%a%% route=a fail_timeout=1s;
        server %%b%% route=b fail_timeout=1s;
        sticky cookie id strict;
        keepalive 2;
    }

    upstream learn {
        zone learn 64k;
        server %%a%% fail_timeout=1s;
        server %%b%% fail_timeout=1s;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=s:64k strict header;
    }

    server {
        listen %%LISTEN_front%%;
        access_log %%PREFIX%%/access.log sticky;

        location /signed { proxy_pass http://signed; }
        location /twin { proxy_pass http://twin; }
        location /strict { proxy_pass http://strict; }
        location /learn { proxy_pass http://learn; }

        location /page {
            proxy_pass http://strict;
            error_page 503 = /sorry;
        }
        location /other {
            proxy_pass http://strict;
            error_page 503 = /twin;
        }
        location /sorry { return 200 "sorry\n"; }
    }
}
EOC
);

$node->write_file('keys', "# the first signs\n0123456789abcdef0\n");
$node->start();

# where the requests went, one letter each

sub ask {
    my ($uri, $cookie, $n) = @_;

    return join '', map {
        $node->get($uri, cookie => $cookie)->{headers}{'x-backend'} // '-'
    } 1 .. ($n || 6);
}

sub cookie {
    my ($uri, $from) = @_;

    my $r = $node->get($uri, cookie => $from);
    return $r->{cookies}{id};
}

# what was logged of a request

my $number = 0;

sub logged {
    my ($uri, $cookie) = @_;

    $number++;
    $node->get("$uri?n=$number", cookie => $cookie);

    return wait_for {
        open(my $f, '<', $node->prefix() . '/access.log') or return;
        join '', map { /^$number (.*)/ ? $1 : () } <$f>;
    } 5, 'the line in the log';
}


my %signed;

for (1 .. 6) {
    my $id = cookie('/signed');
    $signed{$1} = $id if $id =~ /^([ab])\.[\w-]{22}$/;
}

is(join(' ', sort keys %signed), 'a b', 'cookies are signed');
is(ask('/signed', "id=$signed{$_}"), $_ x 6, "$_ leads to its server")
    for qw/a b/;

# what is not signed, or otherwise

(my $swapped = $signed{a}) =~ s/^a/b/;
(my $changed = $signed{a}) =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/e;

for my $id ('a', 'a.', $swapped, $changed, substr($signed{a}, 0, -1),
            "$signed{a}x", '.' . 'x' x 22, 'x' x 100, "a$signed{a}",
            "\x80\xff.$signed{a}", 'x' x 4000 . substr($signed{a}, 1))
{
    like(ask('/signed', "id=$id", 4), qr/^(?=.*a)(?=.*b)/,
         'forged: ' . substr($id, 0, 30));
}

like(ask('/twin', "id=$signed{a}", 4), qr/^(?=.*a)(?=.*b)/,
     'it is good for one group only');

# keys rotate

$node->write_file('keys', "another key of 20 by\n0123456789abcdef0\n");
$node->reload(wait_old => 1);

is(ask('/signed', "id=$signed{a}"), 'a' x 6, 'the old key still verifies');

my $new = cookie('/signed', "id=$signed{a}");
ok($new =~ /^a\./ && $new ne $signed{a}, 'the new one signs');

$node->write_file('keys', "another key of 20 by\n");
$node->reload(wait_old => 1);

is(ask('/signed', "id=$new"), 'a' x 6, 'the new cookie goes on');
like(ask('/signed', "id=$signed{a}", 4), qr/^(?=.*a)(?=.*b)/,
     'the old one does not');

# keys that are refused

for my $case ([ 'short', qr/key 1 in "\S+keys" is shorter than 16 bytes/ ],
              [ "# nothing\n\n", qr/no key in "\S+keys"/ ],
              [ "x" x 20 . "\n" x 2 . ("y" x 20 . "\n") x 8,
                qr/more than 8 keys in "\S+keys"/ ])
{
    $node->write_file('keys', $case->[0]);
    my ($ok, $text) = $node->test_config($node->conf());
    like($text, $case->[1], 'refused, and said why');
}

$node->write_file('keys', "another key of 20 by\n");

# the words

my %at = map { $_ => $b{$_}->address() } keys %b;

like(logged('/signed'), qr{^/signed new \Q127.0.0.1:\E\d+ 200$}, 'new');
is(logged('/signed', "id=$new"), "/signed hit $at{a} 200", 'hit');
like(logged('/signed', 'id=a'), qr{^/signed forged 127\S+ 200$}, 'forged');
like(logged('/strict', 'id=zz'), qr{^/strict miss 127\S+ 200$}, 'miss');
is(logged('/sorry'), '/sorry - - 200', 'none without "sticky"');

# strict

is(ask('/strict', 'id=a'), 'a' x 6, 'strict: it leads to its server');

$b{a}->refuse();

$node->get('/strict', cookie => 'id=a');

is(join(' ', map { $node->get('/strict', cookie => 'id=a')->{status} } 1 .. 4),
   '503 503 503 503', '503 while it is away');
is(ask('/strict', 'id=b', 3), 'bbb', 'others are served');
is(ask('/strict', undef, 2), 'bb', 'new ones, too');
is(ask('/strict', 'id=nobody', 2), 'bb', 'and who names nobody');
is(logged('/strict', 'id=a'), '/strict rebound - 503', 'it is logged');

is($node->get('/page', cookie => 'id=a')->{body}, "sorry\n",
   'the error page is that of 503');
is(ask('/other', 'id=a', 2), 'bb', 'it may be another group');

my $c = Duplex::Connection->new($node->address('front'));
is(join(' ', map { $c->get('/strict', cookie => 'id=a')->{status} } 1 .. 3),
   '503 503 503', 'a connection that is kept sees no difference');
$c->close();

$b{a}->accept();
happens { ask('/strict', 'id=a', 1) eq 'a' } 5, 'it is back';

# the same, learned

my $r = $node->get('/learn');
my ($name, $sid) = ($r->{headers}{'x-backend'}, "sid=$r->{cookies}{sid}");

is(ask('/learn', $sid), $name x 6, 'strict: a session');

$b{$name}->refuse();
$node->get('/learn', cookie => $sid);

is($node->get('/learn', cookie => $sid)->{status}, 503, '503 while it is away');

$b{$name}->accept();
happens { ask('/learn', $sid, 1) eq $name } 5, 'the session has not moved';

$node->expect_log(qr/the server of this session is not available/);

done_testing();
