#!/usr/bin/perl

# Every body that is no good is answered with an error object, in whatever
# pieces it comes, and changes nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%

events {
}

http {
    %%HTTP%%

    client_body_timeout 1s;

    upstream app {
        zone app 256k;
        server 127.0.0.1:%%PORT_b1%%;
        server 127.0.0.2:%%PORT_b1%%;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            client_body_buffer_size 1k;
            api write=on;
        }

        location /tiny/ {
            client_max_body_size 100;
            api write=on;
        }

        location /wide/ {
            client_body_buffer_size 256k;
            api write=on;
        }
    }
}
EOC

$node->start();

my $api = $node->address('api');
my $server = '9/http/upstreams/app/servers/0';

# not JSON

bad($_, 415, 'JsonError') for
    '{', '}', '{"down"', '{"down":}', '{"down":tru', '{"down":true', 'down',
    '{"down":true,}', "{'down':true}", '{"down":true}x', '{"down":true}{}',
    '3', '"down"', 'null', 'true', ' ', "\0", "{\"down\0\":true}",
    "{\"\xff\":true}", '{"\u0000":1}', "\xef\xbb\xbf{}", '{"down":01}',
    '{"weight":1e999}', '{"weight":99999999999999999999}', '{"down":NaN}';

bad('{"down":true,"down":true}', 415, 'JsonError', '"down"');
bad('{"down":true,"\u0064own":false}', 415, 'JsonError');
bad('[' x 500, 415, 'JsonError');
bad(('[' x 100000) . (']' x 100000), 415, 'JsonError', 'depth',
    path => '/wide/');
bad('{"down":' x 10000, 415, 'JsonError', undef, path => '/wide/');

# JSON, but not a server

bad($_->[0], 400, 'UpstreamConfFormatError', $_->[1]) for
    [ '[]', 'object' ],
    [ '[{"down":true}]', 'object' ],
    [ '{"colour":"red"}', 'unknown parameter "colour"' ],
    [ '{"down":true,"colour":null}', 'unknown parameter "colour"' ],
    [ '{"Down":true}', 'unknown parameter "Down"' ],
    [ '{"":true}', 'unknown parameter ""' ],
    [ '{"a\"b":true}', 'unknown parameter "a"b"' ],
    [ '{"parent":"1"}', 'unknown parameter "parent"' ],
    [ '{"host":"a"}', 'unknown parameter "host"' ],
    [ '{"down":"true"}', 'invalid "down" value' ],
    [ '{"down":1}', 'invalid "down" value' ],
    [ '{"down":null}', 'invalid "down" value' ],
    [ '{"drain":"yes"}', 'invalid "drain" value' ],
    [ '{"down":true,"drain":0}', 'invalid "drain" value' ],
    [ '{"weight":"1"}', 'invalid "weight" value' ],
    [ '{"weight":1.0}', 'invalid "weight" value' ],
    [ '{"fail_timeout":10}', 'invalid "fail_timeout" value' ],
    [ '{"server":1}', 'invalid "server" value' ],
    [ '{"backup":"no"}', 'invalid "backup" value' ],
    [ '{"down":{"down":true}}', 'nested object or list in "down"' ],
    [ '{"down":[true]}', 'nested object or list in "down"' ],
    [ '{"route":[]}', 'nested object or list in "route"' ];

bad('{"' . 'x' x 900 . '":1}', 400, 'UpstreamConfFormatError');
bad('{"weight":-1}', 400, 'UpstreamBadWeight');
bad('', 400, 'BodyReadError', 'empty');

# too large

my $pad = ' ' x 900;

is(patch('/api/', "$pad\{}"), 200, 'almost 1k');
bad($pad x 2 . '{}', 413, 'BodyReadError', '1024 bytes');
bad(' ' x 1025, 413, 'BodyReadError', '1024 bytes');
bad(' ' x 3_000_000, 413, 'BodyReadError', '1024 bytes');
bad(' ' x 101, 413, 'BodyReadError', '100 bytes', path => '/tiny/');
is(patch('/wide/', ' ' x 250_000 . '{}'), 200, '250k where they may be');

# chunked, and in pieces

is(chunked('{"down":', 'false', '}'), 200, 'chunked');
is(chunked(map { " " x 100 } 1 .. 10), 415, 'chunked: 1000 blanks');
is(chunked(map { " " x 100 } 1 .. 11), 413, 'chunked: 1100 blanks');
is(chunked(map { " " x 50_000 } 1 .. 40), 413, 'chunked: 2 MB');
is(chunked(), 400, 'chunked: nothing');

like(raw($api, head('Transfer-Encoding: chunked') . "xyz\r\n"),
     qr{^HTTP/1.1 400 .*BodyReadError}s, 'chunked: not in chunks');

my $body = '{"down": false}';

for my $at (0 .. length $body) {
    my $answer = slowly(head('Content-Length: ' . length $body),
                        substr($body, 0, $at), substr($body, $at));

    like($answer, qr{^HTTP/1.1 200 }, "in two pieces, cut at $at");
}

my $text = head('Content-Length: ' . length $body, 'Connection: close')
           . $body;

like(slowly(split //, $text), qr{^HTTP/1.1 200 }, 'byte by byte');

like(slowly(head('Content-Length: 1020'), map { ' ' x 102 } 1 .. 10),
     qr{^HTTP/1.1 415 }, 'in ten pieces');

# a body that does not come, a client that goes away

my $start = time();
my $answer = raw($api, head('Content-Length: 20') . '{"down":');

cmp_ok(time() - $start, '<', 8, 'a client that stalls is given up');
unlike($answer, qr{^HTTP/1.1 200}, 'and not answered with 200');

for (1 .. 3) {
    my $gone = Duplex::Connection->new($api, timeout => 0.1);
    $gone->raw(head('Content-Length: 20') . '{"down":');
    $gone->close();
}

# a connection goes on after an error, and after a body nobody read

my $connection = Duplex::Connection->new($api);

for my $try ([ PATCH => $server, '{', 415 ], [ GET => $server, '{}', 200 ],
             [ PATCH => '9/none', 'x' x 5000, 404 ],
             [ PUT => $server, 'x' x 5000, 405 ],
             [ PATCH => $server, 'x' x 5000, 413 ],
             [ PATCH => $server, '{"down":false}', 200 ])
{
    my ($method, $path, $data, $status) = @$try;
    my $r = $connection->request($method, "/api/$path", body => $data);

    is($r->{status}, $status, "kept alive: $method $path: $status");
    ok(JSON::PP::decode_json($r->{body}), 'JSON');
}

# methods, when writing is on

for my $try ([ POST => $server, 'GET, HEAD, PATCH, DELETE', '' ],
             [ PUT => "$server/", 'GET, HEAD, PATCH, DELETE', '' ],
             [ DELETE => '9/http/upstreams/app/servers', 'GET, HEAD, POST, PUT',
               '' ],
             [ PATCH => '9/http/upstreams/none/servers/',
               'GET, HEAD, POST, PUT', '' ],
             [ PATCH => '9/http/upstreams/app', 'GET, HEAD, DELETE',
               'not offered' ],
             [ POST => '9/http/upstreams/none/servers/0',
               'GET, HEAD, PATCH, DELETE', '' ])
{
    my ($method, $path, $allow, $word) = @$try;
    my $r = request($api, $method, "/api/$path", body => '{}');
    my $error = JSON::PP::decode_json($r->{body})->{error};

    is("$r->{status} $error->{code}", '405 MethodDisabled', "$method $path");
    is($r->{headers}{allow}, $allow, "$method $path: allow");
    like($error->{text}, qr/\Q$word\E/, "$method $path: text");
}

# other things are wrong first

is(code('PATCH', '/api/9/http/upstreams/none/servers/0'),
   '404 UpstreamNotFound', 'no such group');
is(code('PATCH', '/api/9/http/upstreams/app/servers/7'),
   '404 UpstreamServerNotFound', 'no such server');
is(code('PATCH', '/api/9/http/upstreams/app/servers/x'),
   '400 UpstreamBadServerId', 'no number');
is(code('PATCH', '/api/9/x'), '404 PathNotFound', 'no such path');
is(code('PATCH', "/api/10/http/upstreams/app/servers/0"),
   '404 UnknownVersion', 'no such version');

# after all this

my ($status, $servers) = api_get($api, '/api/9/http/upstreams/app/servers');

is_deeply([ map { $_->{down} } @$servers ], [ false, false ],
          'nothing has changed');
is((api_get($api, '/api/duplex/node'))[1]{zones}{'duplex:store'}{records}, 0,
   'nothing is in the store');

done_testing();


sub bad {
    my ($body, $status, $code, $text, %args) = @_;

    my $path = ($args{path} || '/api/') . $server;
    my $name = length $body > 60 ? substr($body, 0, 20) . '...' : $body;

    $name =~ s/([^ -~])/sprintf '\x%02x', ord $1/ge;

    my $r = request($api, 'PATCH', $path, body => $body);
    my $data = eval { JSON::PP::decode_json($r->{body}) };

    is($data ? "$r->{status} $data->{error}{status} $data->{error}{code}"
             : "$r->{status} $r->{body}",
       "$status $status $code", "refused: $name");
    like($data->{error}{text}, qr/\Q$text\E/, "the text for it")
        if defined $text;
}


sub code {
    my ($method, $path) = @_;

    my $r = request($api, $method, $path, body => '{}');
    return "$r->{status} " . JSON::PP::decode_json($r->{body})->{error}{code};
}


sub patch {
    my ($prefix, $body) = @_;
    return request($api, 'PATCH', $prefix . $server, body => $body)->{status};
}


sub head {
    return join "\r\n", "PATCH /api/$server HTTP/1.1", "Host: a", @_, '', '';
}


# the status of the answer to a body in such chunks
sub chunked {
    my $text = head('Transfer-Encoding: chunked', 'Connection: close');

    $text .= sprintf "%x\r\n%s\r\n", length $_, $_ for @_;

    my ($status) = raw($api, "${text}0\r\n\r\n") =~ m{^HTTP/1.1 (\d+) };
    return $status;
}


# the answer to pieces that come one by one
sub slowly {
    my (@pieces) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => $api, Timeout => 5)
        or die "connect: $!\n";
    $socket->setsockopt(Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1);

    for (@pieces) {
        syswrite($socket, $_);
        sleep 0.002;
    }

    IO::Select->new($socket)->can_read(5) or return '';
    sysread($socket, my $answer, 65536);
    return $answer;
}
