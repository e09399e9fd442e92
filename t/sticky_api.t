#!/usr/bin/perl

# Sessions through the API: counted, in pages, one by its value, rebound,
# ended; all of a server or of a group by one call, on both nodes and over a
# restart; and counters of what became of the requests.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use constant SESSIONS => 40;


my $pair = Duplex::Pair->new(backends => 2, vars => { CHECK => <<'EOC' });
interval=1s uri=/health; }

        location /named {
            proxy_pass http://named
EOC

# a group of its own: what is named by a route

for my $node ($pair->nodes()) {
    (my $conf = $node->conf()) =~ s/(    server \{\n        listen %%LISTEN_front)/
        "    upstream named {\n        zone named 64k;\n"
        . join('', map { '        server ' . $_->[0]->address()
                         . " route=$_->[1];\n" }
                   [ $pair->backend('b1'), 'one' ],
                   [ $pair->backend('b2'), 'two' ])
        . "        sticky route \$cookie_route;\n    }\n\n$1"/e;
    $node->configure($conf);
}

$pair->start();
my ($a, $b) = $pair->nodes();
my %port = map { $_->name() => $_->address() } $pair->backends();

my $path = '/api/duplex/sessions';

sub call {
    my ($node, $method, $uri, $data) = @_;
    return api_call($node->address('api'), $method, "$path$uri", $data);
}

sub ask {
    my ($node, $cookie, $n) = @_;

    return join ' ', map {
        $node->get('/', cookie => $cookie)->{headers}{'x-backend'}
    } 1 .. ($n || 4);
}

sub table {
    my ($node) = @_;
    return (call($node, 'GET', ''))[1]{sessions};
}


my %client;

for (1 .. SESSIONS) {
    my $r = $a->get('/');
    $client{$r->{cookies}{sid}} = $r->{headers}{'x-backend'};
}

happens { $pair->is_shipped($a) && table($b)->{sessions} == SESSIONS } 5,
    'all sessions are on b';

# the table

my $table = table($a);

is($table->{upstream}, 'app', 'the table: its group');
is($table->{timeout}, 3600000, 'the lifetime of a session');
ok($table->{sync}, 'it is replicated');
cmp_ok($table->{capacity}, '>', 20000, '1 MB has room for more than 20000');
is_deeply([ map { $_->{sessions} } @{$table->{servers}} ],
          [ SESSIONS / 2, SESSIONS / 2 ], 'by server');

happens { $a->peers('app')->{$port{b1}}{sessions} == SESSIONS / 2 } 3,
    'the same in the object of a server';

my (undef, $names) = api_call($a->address('api'), 'GET', "$path?fields=");
is_deeply($names, [ 'sessions' ], 'the names of tables');

# pages

my (%seen, $cursor, $pages);

do {
    my (undef, $page) = call($a, 'GET', "/sessions?limit=7&cursor="
                                        . ($cursor // 0));
    $pages++;
    $seen{$_->{id}} = $_ for @{$page->{sessions}};
    $cursor = $page->{cursor};
} while (defined $cursor);

is(scalar keys %seen, SESSIONS, 'all of them in pages');
cmp_ok($pages, '>=', SESSIONS / 7, 'of 7');
is((grep { $_->{id} =~ /^[0-9a-f]{32}$/ && $_->{expires_in} > 3590000
           && $_->{server} =~ /^127\.0\.0\.2[12]:/ && $_->{changed}
           && $_->{node} =~ /^[0-9a-f]{16}$/ } values %seen),
   SESSIONS, 'with all that is known of them');

my (undef, $of_one) = call($b, 'GET', "/sessions?server=$port{b2}&limit=1000");
is(scalar @{$of_one->{sessions}}, SESSIONS / 2, 'those of one server');
ok(!defined $of_one->{cursor}, 'the last page has no cursor');

# one of them

my ($sid) = sort grep { $client{$_} eq 'b1' } keys %client;
my ($status, $one) = call($b, 'GET', "/sessions?value=$sid");

is($one->{server}, $port{b1}, 'one by its value');
is($one->{server_id}, 0, 'and the id of its server');
is((call($a, 'GET', "/sessions/$one->{id}"))[1]{server}, $port{b1},
   'or by its id');

($status, $one) = call($b, 'PATCH', "/sessions/$one->{id}",
                       { server => $port{b2} });
is("$status $one->{server}", "200 $port{b2}", 'rebound');

happens { ask($a, "sid=$sid") eq 'b2 b2 b2 b2' } 3,
    'on the other node, too';

is((call($a, 'PATCH', "/sessions?value=$sid", { server => '0' }))[1]{server},
   $port{b1}, 'by value, and by the id of the server');

is((call($a, 'DELETE', "/sessions?value=$sid"))[0], 204, 'ended');
is((call($a, 'GET', "/sessions?value=$sid"))[0], 404, 'it is not there');
happens { (call($b, 'GET', "/sessions?value=$sid"))[0] == 404 } 3,
    'nor on the other node';
like(ask($b, "sid=$sid"), qr/(?=.*b1)(?=.*b2)/, 'and is balanced');

# what is refused

for (
    [ 'GET', '/nothing', undef, 404, 'SessionZoneNotFound' ],
    [ 'GET', '/sessions/xyz', undef, 400, 'SessionFormatError' ],
    [ 'GET', '/sessions/' . 'x' x 32, undef, 400, 'SessionFormatError' ],
    [ 'GET', '/sessions/' . '0' x 32, undef, 404, 'SessionNotFound' ],
    [ 'GET', '/sessions?value=nobody', undef, 404, 'SessionNotFound' ],
    [ 'GET', '/sessions?limit=many', undef, 400, 'SessionFormatError' ],
    [ 'GET', '/sessions?limit=10001', undef, 400, 'SessionFormatError' ],
    [ 'GET', '/sessions?cursor=-1', undef, 400, 'SessionFormatError' ],
    [ 'GET', '/sessions?server=1.1.1.1:1', undef, 404,
      'UpstreamServerNotFound' ],
    [ 'DELETE', '/sessions?value=nobody', undef, 404, 'SessionNotFound' ],
    [ 'DELETE', '/sessions?server=nobody', undef, 404,
      'UpstreamServerNotFound' ],
    [ 'PATCH', '/sessions', { server => '0' }, 400, 'SessionFormatError' ],
    [ 'PATCH', '/sessions?value=x', { server => 0 }, 400,
      'SessionFormatError' ],
    [ 'PATCH', '/sessions?value=x', { server => '0', x => 1 }, 400,
      'SessionFormatError' ],
    [ 'PATCH', '/sessions?value=x', { server => '0' }, 404,
      'SessionNotFound' ],
    [ 'POST', '/sessions', {}, 405, 'MethodDisabled' ],
)
{
    my ($method, $uri, $data, $expected, $code) = @$_;
    my ($status, $answer) = call($a, $method, $uri, $data);

    is("$status $answer->{error}{code}", "$expected $code",
       "$method $uri is refused");
}

# all of a server, by one record

delete $client{$sid};

is((call($b, 'DELETE', "/sessions?server=$port{b1}"))[0], 204,
   'all sessions of b1 are ended');

happens { table($_->[0])->{sessions} == SESSIONS / 2 } 3,
    'gone on node ' . $_->[1] for [ $a, 'a' ], [ $b, 'b' ];

my @left = grep { $client{$_} eq 'b2' } sort keys %client;
is(join(' ', map { ask($a, "sid=$_", 1) } @left), join(' ', ('b2') x @left),
   'those of b2 are untouched');

ok($b->grep_log(qr/sessions of server \S+ in "sessions" were ended by 127/),
   'it is logged');

# who logs in again has a session

my $r = $a->get('/');
($r = $a->get('/')) if $r->{headers}{'x-backend'} ne 'b1';
is(ask($a, "sid=$r->{cookies}{sid}"), 'b1 b1 b1 b1', 'a new one is good');

# all of a group; what comes back from the other node's memory is ended, too

is((call($a, 'DELETE', '/sessions'))[0], 204, 'all sessions are ended');
happens { !table($_)->{sessions} } 3, 'on both' for $a, $b;

$r = $b->get('/');
happens { $pair->is_shipped($b) && table($a)->{sessions} == 1 } 5, 'a new one';

$_->kill9() for $a, $b;
$_->start() for $a, $b;
$pair->wait_linked();

my @count = map { table($_)->{sessions} } $a, $b;
cmp_ok($count[0] + $count[1], '<=', 2, 'none of them comes back');

# a server gets another name

my (undef, $of) = api_call($a->address('api'), 'GET',
                           '/api/9/http/upstreams/named/servers');
my %id = map { $_->{server} => $_->{id} } @$of;

sub named {
    my ($route) = @_;
    return join ' ', map { ask_named($route) } 1 .. 4;
}

sub ask_named {
    return get($a->address('front'), '/named',
               cookie => "route=$_[0]")->{headers}{'x-backend'};
}

is(named('one'), 'b1 b1 b1 b1', 'a route');

$a->api_patch("/api/9/http/upstreams/named/servers/$id{$port{b1}}",
              { route => 'uno' });

happens { named('uno') eq 'b1 b1 b1 b1' } 5, 'by its new name';
like(named('one'), qr/b2/, 'not by the old one');

$a->api_patch("/api/9/http/upstreams/named/servers/$id{$port{b1}}",
              { route => 'one' });
$a->api_patch("/api/9/http/upstreams/named/servers/$id{$port{b2}}",
              { route => 'uno' });
happens { named('uno') eq 'b2 b2 b2 b2' && named('one') eq 'b1 b1 b1 b1' } 5,
    'and renamed again';

# counters

$a->get('/', cookie => 'sid=nobody') for 1 .. 3;
$r = $a->get('/');
happens { table($a)->{sessions} > 0 } 3, 'learned';
$a->get('/', cookie => "sid=$r->{cookies}{sid}") for 1 .. 5;

my (undef, $counters) = api_call($a->address('api'), 'GET',
                                 '/api/duplex/sticky');
is_deeply($counters->{'http:app'},
          { new => 1, hit => 5, rebound => 0, miss => 3, forged => 0 },
          'what became of the requests');

$_->expect_log(qr/exited on signal 9|signal 9/) for $a, $b;

done_testing();
