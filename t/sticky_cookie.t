#!/usr/bin/perl

# The cookie leads to its server, with every stock balancer, and is set in
# stock's own form with every answer; one that leads nowhere is replaced.
# Where nginx has a "sticky" of its own, both answer the same bytes.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Digest::MD5 qw/md5_hex/;


my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/a b/;

my %md5 = map { $_ => md5_hex($b{$_}->address()) } keys %b;
my %at = (%md5, a => 'a');

my %groups = (
    plain   => 'sticky cookie id;',
    all     => 'sticky cookie id expires=1h domain=.example.com httponly
                samesite=strict secure path=/app;',
    max     => 'sticky cookie id path=/ expires=max;',
    zero    => 'sticky cookie id expires=0 samesite=none;',
    case    => 'sticky cookie id samesite=Lax;',
    vars    => 'sticky cookie id domain=$arg_d samesite=$arg_s path=$arg_p;',
    name    => 'sticky cookie "my-id";',
    zone    => 'zone zone 64k; sticky cookie id; keepalive 4;',
    least   => 'zone least 64k; least_conn; keepalive 4; sticky cookie id;',
    hash    => 'hash $arg_x consistent; sticky cookie id; keepalive 4;',
    iphash  => 'zone iphash 64k; ip_hash; sticky cookie id;',
    random  => 'zone random 64k; random two; sticky cookie id;',
);

my $upstreams = join '', map {
    "upstream $_ {\n    server %%a%% route=a max_fails=0;\n"
    . "    server %%b%% max_fails=0;\n    $groups{$_}\n}\n"
} sort keys %groups;

my $locations = join '', map {
    "location /$_ {\n    proxy_pass http://$_;\n}\n"
} sort keys %groups;

my $conf = <<"EOC";
worker_processes 1;

events {
}

http {
    %%HTTP%%

    $upstreams

    upstream dead {
        server 127.0.0.1:1 route=dead;
        sticky cookie id;
    }

    upstream other {
        server %%b%% route=other;
        sticky cookie other;
    }

    upstream socket {
        server unix:%%PREFIX%%/nobody;
        sticky cookie id;
    }

    server {
        listen %%LISTEN_front%%;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_next_upstream error timeout http_500;

        $locations

        location /dead { proxy_pass http://dead; }
        location /socket { proxy_pass http://socket; }
        location /page { proxy_pass http://dead; error_page 502 = /plain; }
        location /both { proxy_pass http://dead; error_page 502 = /other; }
        location /other { proxy_pass http://other; }
    }
}
EOC

my %vars = map { $_ => $b{$_}->address() } keys %b;
my $node = Duplex::Node->new(vars => \%vars, conf => "%%MAIN%%\n$conf");

$node->start();
$node->expect_log(qr/connect\(\) to unix:/);

# all Set-Cookie lines, and who answered

sub ask {
    my ($uri, %args) = @_;

    my $n = $args{node} || $node;
    my $cookie = defined $args{cookie} ? "Cookie: $args{cookie}\r\n" : '';

    my $answer = raw($n->address('front'),
                     "GET $uri HTTP/1.0\r\nHost: a\r\n$cookie\r\n");

    my @set = $answer =~ /^Set-Cookie: ([^\r]*)\r$/mg;
    my ($name) = $answer =~ /^X-Backend: (\w+)/mi;

    return ($name, @set);
}

sub date {
    my ($seconds) = @_;

    my @t = gmtime(time() + $seconds);
    my @day = qw/Sun Mon Tue Wed Thu Fri Sat/;
    my @month = qw/Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec/;

    return sprintf('%s, %02d-%s-%02d %02d:%02d:%02d GMT', $day[$t[6]], $t[3],
                   $month[$t[4]], $t[5] % 100, @t[2, 1, 0]);
}


# where the cookie says, wherever "sticky" stands and whatever chooses

for my $group (sort keys %groups) {

    my $id = $group eq 'name' ? 'my-id' : 'id';

    my $answers = join '', map {
        my $name = $_ % 2 ? 'b' : 'a';
        my ($got, @set) = ask("/$group?x=$_", cookie => "$id=$at{$name}");
        $got eq $name && @set == 1 && $set[0] =~ /^\Q$id=$at{$name}\E(;|$)/
            ? 1 : 0;
    } 1 .. 12;

    is($answers, '1' x 12, "$group: it leads to its server, and is set again");
}

# all forms

my $late = qr/\w{3}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT/;

for (
    [ '/plain', '' ],
    [ '/all', "; expires=$late; max-age=3600; domain=.example.com; httponly; "
              . 'secure; samesite=strict; path=/app' ],
    [ '/max', '; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000; '
              . 'path=/' ],
    [ '/zero', "; expires=$late; max-age=0; samesite=none" ],
    [ '/case', '; samesite=Lax' ],
    [ '/vars', '; path=\$arg_p' ],
    [ '/vars?d=x.y&s=LAX&p=/z', '; domain=x.y; samesite=LAX; path=\$arg_p' ],
    [ '/vars?s=loose', '; samesite=strict; path=\$arg_p' ],
)
{
    my ($uri, $form) = @$_;
    my (undef, @set) = ask($uri, cookie => 'id=a');

    like($set[0], qr/^id=a$form$/, "the form of $uri");
}

my ($before, (undef, $set), $after) = (date(3600), ask('/all'), date(3600));
ok($set =~ /expires=(\Q$before\E|\Q$after\E);/, 'it ends in an hour')
    or diag("$set, not $before");

# who names no server gets another, and a cookie that does

for my $cookie (undef, '', 'id=', 'id=nobody', 'id=A', 'x=a', 'xid=a', 'id',
                'id=' . 'x' x 4000, "id=$md5{a}")
{
    my %seen;

    for (1 .. 4) {
        my ($name, @set) = ask('/plain', cookie => $cookie);
        $seen{$name}++ if @set == 1 && $set[0] eq "id=$at{$name}";
    }

    is_deeply(\%seen, { a => 2, b => 2 }, 'replaced: '
              . substr($cookie // 'no cookie', 0, 20));
}

# as nginx reads cookies

for my $cookie ('id=a', 'ID=a', 'x=y; id=a', 'id=a; id=b', 'x;id = a',
                "x=y;;  id=a", "idx=b; id=a;x")
{
    my $got = join '', map { (ask('/plain', cookie => $cookie))[0] } 1 .. 3;
    is($got, 'aaa', "read: $cookie");
}

# with an answer of nginx's own as well

is((ask('/dead'))[1], 'id=dead', 'the server that failed is in a 502');
is((ask('/socket'))[1], 'id=' . md5_hex('unix:' . $node->prefix() . '/nobody'),
   'the name of a socket is that of its address');

my (undef, @page) = ask('/page');
ok(@page == 1 && $page[0] =~ /^id=(a|$md5{b})$/, 'one of a name')
    or diag("@page");

(undef, @page) = ask('/both');
is("@page", 'id=dead other=other', 'two of two names');

# a retry goes elsewhere, and the answer says where

$b{a}->set(status => 500);

my ($name, @set) = ask('/plain', cookie => 'id=a');
is("$name @set", "b id=$md5{b}", 'a 500 is retried, and the cookie replaced');

$b{b}->set(status => 500);
my $since = time();
ask('/plain', cookie => 'id=a');
is($b{a}->count(since => $since) + $b{b}->count(since => $since), 2,
   'no server is asked twice');

$b{$_}->set(status => 404) for qw/a b/;
is((ask('/plain', cookie => 'id=a'))[1], 'id=a', 'set with a 404, too');
$b{$_}->set() for qw/a b/;


# stock's own

my $stock = Duplex::Node->new(name => 'stock', vars => \%vars, conf => <<"EOC");
daemon off;
pid %%PREFIX%%/nginx.pid;
error_log %%PREFIX%%/error.log info;
$conf
EOC

my ($ok, $text) = $stock->test_config($stock->conf());

is(scalar(my @said = $node->grep_log(qr/"sticky" is that of nginx-duplex/)),
   $ok ? 1 : 0, 'whose "sticky" it is, is said where nginx has one, once');

SKIP: {
    skip('this nginx has no "sticky"', 1) if !$ok;

    $stock->start();
    $stock->expect_log(qr/connect\(\) to unix:/);

    my @differ;

    for my $uri ((map { ("/$_", "/$_?d=x&s=lax", "/$_?s=no") }
                      sort keys %groups), '/dead', '/both')
    {
        for my $cookie ('id=a', 'my-id=a; id=a', "id=$md5{b}; my-id=$md5{b}") {
            my ($ours, $theirs);

            # the second may have changed meanwhile

            for (1 .. 3) {
                $ours = join ' | ', ask($uri, cookie => $cookie);
                $theirs = join ' | ', ask($uri, cookie => $cookie,
                                          node => $stock);
                last if $ours eq $theirs;
            }

            # without the cookie's name it is balanced

            next if $uri =~ m{^/name} && $cookie eq 'id=a';

            push @differ, "$uri $cookie: $ours, stock: $theirs"
                if $ours ne $theirs;
        }
    }

    is("@differ", '', 'stock sets the same');
}

done_testing();
