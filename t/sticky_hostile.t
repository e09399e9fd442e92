#!/usr/bin/perl

# Cookie headers that nobody sends in good faith: what is found in them is
# what nginx's own $cookie_NAME finds, and it costs no time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Time::HiRes qw/time/;


my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/a b/;

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<'EOC',
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    large_client_header_buffers 8 64k;

    upstream route {
        server %%a%% route=a;
        server %%b%% route=b;
        sticky route $cookie_id;
        keepalive 4;
    }

    upstream cookie {
        server %%a%% route=a;
        server %%b%% route=b;
        sticky cookie id signed=%%PREFIX%%/keys;
        keepalive 4;
    }

    upstream learn {
        server %%a%%;
        server %%b%%;
        sticky learn create=$upstream_cookie_id lookup=$cookie_id zone=s:64k;
        keepalive 4;
    }

    server {
        listen %%LISTEN_front%%;
        keepalive_requests 100000;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Cookie "";

        location = /nginx { return 200 "<$cookie_id>"; }
        location = /route { proxy_pass http://route; }
        location = /cookie { proxy_pass http://cookie; }
        location = /learn { proxy_pass http://learn; }
    }
}
EOC
);

$node->write_file('keys', '0123456789abcdef');
$node->start();

my $c = Duplex::Connection->new($node->address('front'));

sub ask {
    my ($uri, $cookie) = @_;
    return $c->get($uri, cookie => $cookie);
}


# random bits and pieces; where nginx finds a route, it leads there

my @bits = ('id', 'ID', 'xid', 'idx', ' ', ' ', '=', '=', ';', '; ', ',', 'a',
            'b', 'id=a', 'id=b', "\t", '"', "\x80\xff", '==', ';;', "id =a");
my ($found, @wrong);

srand(20261125);

for (1 .. 500) {
    my $cookie = join '', map { $bits[rand @bits] } 1 .. 1 + rand 12;
    $cookie =~ s/^\s+|\s+$//g;

    # the name without "=": nginx passes over the pair that follows, too
    next if $cookie =~ /(?:^|[;,] *)id *[;,]/i;

    my ($expected) = ask('/nginx', $cookie)->{body} =~ /^<(.*)>$/s;
    my $got = join '', map { ask('/route', $cookie)->{headers}{'x-backend'} }
                       1 .. 4;

    $found++ if $expected =~ /^[ab]$/;

    push @wrong, "$cookie: $got, nginx found \"$expected\""
        if $expected =~ /^[ab]$/ ? $got ne $expected x 4
                                 : $got !~ /ab|ba/;
}

cmp_ok($found, '>', 15, 'nginx found something in some');
is("@wrong", '', 'the same was found, and nothing else');


# large ones: every method answers, and goes on answering

my %large = (
    '8 KB of a value'          => 'id=' . 'x' x 8000,
    '8 KB of a name'           => 'x' x 8000 . '=1',
    'thousands of cookies'     => join('; ', map { "c$_=$_" } 1 .. 4000),
    'thousands of that name'   => 'id=; ' x 8000,
    'nothing but "="'          => '=' x 40000,
    'nothing but ";"'          => ';' x 40000,
    'nothing but ","'          => ',' x 40000,
    'blanks and "="'           => 'x' . (' ' x 500 . '=') x 80,
    'names that begin alike'   => 'i' x 20000 . 'd' x 20000 . '=',
    'the name again and again' => 'id' x 20000 . '=',
    'bytes above 127'          => 'id=' . "\x80\xfe\xff" x 5000,
    'an open quote'            => 'id="' . 'a;b' x 5000,
);

for my $name (sort keys %large) {
    my $began = time();

    my $status = join ' ', map {
        my $uri = $_;
        map { ask($uri, $large{$name})->{status} } 1 .. 5;
    } qw{/route /cookie /learn};

    is($status, join(' ', ('200') x 15), $name);
    cmp_ok(time() - $began, '<', 1 * ($ENV{DUPLEX_SLOW} || 1),
           'in no time to speak of');
}

# several headers; one with a NUL is refused by nginx

my $answer = raw($node->address('front'),
                 "GET /route HTTP/1.0\r\nCookie: x=y\r\nCookie: id=b\r\n"
                 . "Cookie: id=a\r\n\r\n");
like($answer, qr/^X-Backend: b\r/m, 'the first of several headers');

$answer = raw($node->address('front'),
              "GET /route HTTP/1.0\r\nCookie: id=a\0; id=b\r\n\r\n");
like($answer, qr{^HTTP/1.\d 400 }, 'a NUL is refused');

is(ask('/route', 'id=a')->{headers}{'x-backend'}, 'a', 'and all goes on');

done_testing();
