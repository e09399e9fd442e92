#!/usr/bin/perl

# Key-value zones are written through the API and read by variables: strings,
# networks, beginnings; with a timeout, over a reload and a restart.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    keyval $arg_k $value zone=plain;
    keyval_zone zone=plain:256k;

    keyval_zone zone=nets:256k type=ip;
    keyval $arg_k $net zone=nets;

    keyval_zone zone=paths:256k type=prefix;
    keyval $arg_k $path zone=paths;

    keyval_zone zone=timed:256k timeout=1h;
    keyval $arg_k $timed zone=timed;

    keyval_zone zone=kept:256k state=%%PREFIX%%/state/kept.json
                timeout=1h;
    keyval $arg_k $kept zone=kept;

    server {
        listen %%LISTEN_front%%;

        location / {
            return 200 "$value|$net|$path|$timed|$kept";
        }

        location /set {
            set $value "set by $arg_k";
            return 204;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }

        location /tiny/ {
            client_body_buffer_size 64;
            api write=on;
        }

        location /read/ {
            api;
        }
    }
}

stream {
    keyval_zone zone=pools:256k;
    keyval $server_port $pool zone=pools;

    server {
        listen %%LISTEN_stream%%;
        return "pool=$pool";
    }
}
EOC

mkdir $node->prefix() . '/state';
chmod 0777, $node->prefix() . '/state';

$node->start();

my $api = $node->address('api');
my $front = $node->address('front');
my $http = '/api/9/http/keyvals';

is_deeply([ api_get($api, $http) ],
          [ 200, { map { $_ => {} } qw/plain nets paths timed kept/ } ],
          'all zones');
is_deeply([ api_get($api, "$http/?fields=") ],
          [ 200, [ qw/plain nets paths timed kept/ ] ], 'their names');
is_deeply([ api_get($api, '/api/9/stream/keyvals/') ],
          [ 200, { pools => {} } ], 'those of stream');

# add, change, delete

is(call('POST', 'plain', '{"one":"1"}'), '201 ', 'POST: an empty answer');
is(value(0, 'one'), '1', 'in force');
is(value(0, 'two'), '', 'another key');
is(call('POST', 'plain', '{"one":"2"}'), '409 KeyvalKeyExists', 'POST again');
is(call('POST', 'plain', '{"two":"2","three":"3"}'), '409 EntryExists',
   'several into a zone that is not empty');
is(call('POST', 'plain/', '{"two":"2"}'), '201 ', 'one more, with a slash');
is_deeply([ api_get($api, "$http/plain") ],
          [ 200, { one => '1', two => '2' } ], 'GET');
is_deeply([ api_get($api, "$http/plain?key=two") ], [ 200, { two => '2' } ],
          'GET ?key=');
is((api_get($api, "$http/plain?key=x"))[1]{error}{code}, 'KeyvalKeyNotFound',
   'no such key');
is(call('PATCH', 'plain', '{"one":"one"}'), '204 ', 'PATCH');
is(value(0, 'one'), 'one', 'in force');
is(call('PATCH', 'plain', '{"x":"y"}'), '404 KeyvalKeyNotFound',
   'PATCH of what is not there');
is(call('PATCH', 'plain', '{"one":null}'), '204 ', 'PATCH null deletes');
is(value(0, 'one'), '', 'it is gone');
is(call('DELETE', 'plain'), '204 ', 'DELETE');
is_deeply([ api_get($api, "$http/plain") ], [ 200, {} ], 'all are gone');
is(call('POST', 'plain', '{"a":"1","b":"2"}'), '201 ',
   'several into an empty zone');
is(call('POST', 'timed', '{"a":{"value":"1","expire":600000}}'), '201 ',
   'POST with expire');
is(value(3, 'a'), '1', 'in force');

# errors

for my $try ([ 'POST', 'none', '{"a":"1"}', '404 KeyvalNotFound' ],
             [ 'PATCH', 'none', '{"a":"1"}', '404 KeyvalNotFound' ],
             [ 'DELETE', 'none', undef, '404 KeyvalNotFound' ],
             [ 'GET', 'none', undef, '404 KeyvalNotFound' ],
             [ 'POST', 'pools', '{"a":"1"}', '404 KeyvalNotFound' ],
             [ 'POST', 'plain', '{', '415 JsonError' ],
             [ 'POST', 'plain', '{"a":"1","a":"2"}', '415 JsonError' ],
             [ 'POST', 'plain', '', '400 BodyReadError' ],
             [ 'PATCH', 'plain', '{"a":"1","b":"2"}',
               '400 KeyvalFormatError' ],
             [ 'POST', 'plain', '{"x":{"value":"1","expire":5}}',
               '400 KeyvalFormatError' ],
             [ 'PUT', 'plain', '{"a":"1"}', '405 MethodDisabled' ],
             map { [ 'POST', 'timed', $_, '400 KeyvalFormatError' ] }
                 '{}', '[]', '["a"]', '{"x":1}', '{"x":null}', '{"x":["a"]}',
                 '{"x":true}', '{"x":{}}', '{"x":{"expire":5}}',
                 '{"x":{"value":1}}', '{"x":{"value":"1","expire":0}}',
                 '{"x":{"value":"1","expire":"5s"}}',
                 '{"x":{"value":"1","colour":1}}',
                 '{"' . 'x' x 1025 . '":"1"}')
{
    my ($method, $zone, $body, $want) = @$try;

    is(call($method, $zone, $body), $want,
       "$method $zone " . substr($body // '', 0, 40));
}

is(request($api, 'POST', '/tiny/9/http/keyvals/plain',
           body => '{"a":"' . 'x' x 100 . '"}')->{status}, 413, 'too large');
is(request($api, 'POST', '/read/9/http/keyvals/plain',
           body => '{"a":"1"}')->{status}, 405, 'read-only');
is((api_get($api, "$http/timed"))[1]{x}, undef, 'nothing came of it');

# networks

is(call('POST', 'nets', '{"10.0.0.0/8":"ten","10.1.2.0/24":"office",'
        . '"10.1.2.3":"host","0.0.0.0/0":"any","2001:db8::/32":"doc",'
        . '"2001:DB8:0:1::/64":"lab"}'), '201 ', 'networks');

is(value(1, $_->[0]), $_->[1], "$_->[0]: $_->[1]") for
    [ '10.9.9.9', 'ten' ], [ '10.1.2.9', 'office' ], [ '10.1.2.3', 'host' ],
    [ '192.0.2.1', 'any' ], [ '2001:db8:5::1', 'doc' ],
    [ '2001:db8:0:1::7', 'lab' ], [ '2001:db9::1', '' ], [ 'x', '' ],
    [ '', '' ], [ '10.1.2.3/24', '' ];

is(call('POST', 'nets', qq({"$_":"x"})), '400 KeyvalFormatError', "no key: $_")
    for 'x', '10.0.0', '10.0.0.0/33', '', '10.0.0.1/x';
is(call('POST', 'nets', '{"10.7.7.7/8":"x"}'), '409 KeyvalKeyExists',
   'the same network, written in another way');
is(call('PATCH', 'nets', '{"10.1.2.3/32":null}'), '204 ', 'a host deleted');
is(value(1, '10.1.2.3'), 'office', 'the network around it counts');

# beginnings

is(call('POST', 'paths', '{"/a":"a","/a/b":"ab","":"root"}'), '201 ',
   'beginnings');
is(value(2, $_->[0]), $_->[1], "$_->[0]: $_->[1]") for
    [ '/a/b/c', 'ab' ], [ '/a/x', 'a' ], [ '/a', 'a' ], [ '/', 'root' ];

# a request writes

is(get($front, '/set?k=me')->{status}, 204, 'set');
is(value(0, 'me'), 'set by me', 'a variable that is set writes to its zone');

# stream

is(request($api, 'POST', '/api/9/stream/keyvals/pools',
           body => '{"' . $node->port('stream') . '":"green"}')->{status},
   201, 'a pair of stream');
is(raw($node->address('stream'), ''), 'pool=green', 'in force');

# time

is(call('POST', 'timed', '{"soon":{"value":"1","expire":300}}'), '201 ',
   'a short life');
happens { value(3, 'soon') eq '' } 5, 'it ends';
is(value(3, 'a'), '1', 'the other goes on');
is(call('PATCH', 'timed', '{"a":{"expire":200}}'), '204 ',
   'PATCH of the life alone');
is(value(3, 'a'), '1', 'the value stays');
happens { value(3, 'a') eq '' } 5, 'until it ends';

# reload and restart

is(call('POST', 'kept', '{"k":"1","l":{"value":"2","expire":1000000}}'),
   '201 ', 'pairs with a state file');

$node->reload();

is(value(0, 'a') . value(4, 'k'), '11', 'a reload keeps all');
is(call('PATCH', 'kept', '{"k":"one"}'), '204 ', 'changed after it');

happens {
    open(my $f, '<', $node->prefix() . '/state/kept.json') or return 0;
    local $/;
    my $data = eval { JSON::PP::decode_json(<$f>) } || {};
    ($data->{k}{value} // '') eq 'one';
} 10, 'the file follows';

is(call('PATCH', 'kept', '{"l":null}'), '204 ', 'deleted at the last moment');

$node->stop();
$node->start();

is_deeply([ api_get($api, "$http/kept") ], [ 200, { k => 'one' } ],
          'a restart keeps what has a state file');
is_deeply([ api_get($api, "$http/plain") ], [ 200, {} ], 'and nothing else');

done_testing();


sub call {
    my ($method, $zone, $body) = @_;

    my $r = request($api, $method, "$http/$zone",
                    defined $body ? (body => $body) : ());
    my $data = eval { JSON::PP::decode_json($r->{body}) };

    return "$r->{status} " . ($data && $data->{error}
                              ? $data->{error}{code} : $r->{body});
}


sub value {
    my ($i, $key) = @_;
    return (split /\|/, get($front, "/?k=$key")->{body}, -1)[$i];
}
