#!/usr/bin/perl

# Servers come and go at run time: one table of cases for http and stream.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my @b = map { Duplex::Backend->new(name => "b$_") } 1 .. 4;
my @at = map { $_->address() } @b;

my $node = Duplex::Node->new(
    name => 'a',
    vars => { map { ("be$_" => $at[$_ - 1]) } 1 .. 4 },
    conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 64k;
        duplex_spare 3;
        server %%be1%%;
        server %%be2%% weight=2;
    }

    upstream none {
        zone none 64k;
    }

    upstream mapped {
        zone mapped 64k;
        ip_hash;
        server %%be1%%;
    }

    upstream fixed {
        server %%be1%%;
    }

    server {
        listen %%LISTEN_http%%;
        location / { proxy_pass http://app; }
        location /none { proxy_pass http://none; }
        location /mapped { proxy_pass http://mapped; }
        location /fixed { proxy_pass http://fixed; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api/ { api write=on; }
        location /ro/ { api; }
    }
}

stream {
    upstream app {
        zone sapp 64k;
        duplex_spare 3;
        server %%be1%%;
        server %%be2%% weight=2;
    }

    upstream none {
        zone snone 64k;
    }

    upstream mapped {
        zone smapped 64k;
        hash $remote_addr;
        server %%be1%%;
    }

    upstream fixed {
        server %%be1%%;
    }

    server { listen %%LISTEN_stream%%; proxy_pass app; }
    server { listen %%LISTEN_snone%%; proxy_pass none; }
    server { listen %%LISTEN_sfixed%%; proxy_pass fixed; }
}
EOC

$node->start();

my $api = $node->address('api');


for my $protocol ('http', 'stream') {
    my $base = "/api/9/$protocol/upstreams";
    my $sessions = $protocol eq 'http';
    my %route = $sessions ? (route => '') : ();
    my $servers = "$base/app/servers";

    my %default = (max_conns => 0, max_fails => 1, fail_timeout => '10s',
                   slow_start => '0s', backup => false, down => false, %route);

    # add

    my ($status, $data) = call(POST => "$servers/", { server => $at[2] });

    is($status, 201, "$protocol: added");
    is_deeply($data, { id => 2, server => $at[2], weight => 1, %default },
              'the new object');
    is_deeply(used($protocol), { b1 => 10, b2 => 20, b3 => 10 },
              'is used at once, in any worker');
    is((call(GET => "$servers/2"))[1]{server}, $at[2], 'shown');

    # what is there cannot be added

    for my $server ($at[0], $at[2]) {
        is(refused(POST => $servers, { server => $server }),
           '409 EntryExists', "$server exists");
    }

    # modify

    for my $change ([ { weight => 3 }, { b1 => 10, b2 => 20, b3 => 30 } ],
                    [ { weight => 1, max_conns => 5, max_fails => 0,
                        fail_timeout => '30s' },
                      { b1 => 10, b2 => 20, b3 => 10 } ],
                    [ { down => true }, { b1 => 10, b2 => 20 } ],
                    [ { down => false }, { b1 => 10, b2 => 20, b3 => 10 } ])
    {
        my ($body, $used) = @$change;

        ($status, $data) = call(PATCH => "$servers/2/", $body);
        is($status, 200, 'changed: ' . join ' ', %$body);
        is_deeply({ map { $_ => $data->{$_} } keys %$body }, $body, 'so');
        is_deeply(used($protocol), $used, 'in force');
        is_deeply((call(GET => "$servers/2"))[1], $data, 'GET says the same');
    }

    # another address under the same id

    ($status, $data) = call(PATCH => "$servers/2", { server => $at[3] });
    is("$status $data->{id} $data->{server}", "200 2 $at[3]", 'moved');
    is($data->{fail_timeout}, '30s', 'with all else');
    is_deeply(used($protocol), { b1 => 10, b2 => 20, b4 => 10 }, 'in force');

    # a server of the file

    ($status, $data) = call(DELETE => "$servers/0");
    is($status, 200, 'removed');
    is_deeply([ map { $_->{id} } @$data ], [ 1, 2 ], 'the remaining ones');
    is_deeply(used($protocol), { b2 => 20, b4 => 10 }, 'in force');
    is(refused(GET => "$servers/0"), '404 UpstreamServerNotFound', 'gone');

    # the last ones

    call(DELETE => "$servers/1/");
    ($status, $data) = call(DELETE => "$servers/2/");
    is("$status " . @$data, '200 0', 'all are removed');
    is_deeply(used($protocol), {}, 'nobody is there');

    # places: three spare ones, and the two that are free now

    for my $i (0 .. 4) {
        ($status, $data) = call(POST => $servers,
                                { server => '127.0.0.9:' . (1000 + $i) });
        is($status, 201, 'a place');
    }

    is(refused(POST => $servers, { server => '127.0.0.9:1' }),
       '400 UpstreamOutOfMemory', 'no place');
    is(scalar @{(call(GET => $servers))[1]}, 5, 'nothing has changed');

    call(DELETE => "$servers/$_->{id}") for @{(call(GET => $servers))[1]};

    # who comes back has the id it had

    ($status, $data) = call(POST => $servers, { server => $at[0] });
    is("$status $data->{id}", '201 0', 'the same id');
    is_deeply(used($protocol), { b1 => 10 }, 'in force');
    call(POST => $servers, { server => $at[1], weight => 2 });

    # a group that was empty, and backups

    is_deeply((call(GET => "$base/none/servers/"))[1], [], 'an empty group');
    is_deeply((call(GET => "$base/none"))[1]{peers}, [], 'has no peers');

    ($status, $data) = call(POST => "$base/none/servers",
                            { server => $at[0], backup => true,
                              slow_start => '1500ms' });
    is("$status $data->{id} $data->{backup} $data->{slow_start}",
       '201 0 1 1500ms', 'a backup');
    is_deeply(used("$protocol none"), { b1 => 10 }, 'is used');

    call(POST => "$base/none/servers", { server => $at[1] });
    is_deeply(used("$protocol none"), { b2 => 10 },
              'but not when there is a primary');

    call(DELETE => "$base/none/servers/1");
    is_deeply(used("$protocol none"), { b1 => 10 }, 'and again without');

    # errors

    my $long = 'x' x 33;

    for my $try (
        [ 'app', {}, 'UpstreamConfFormatError', 'missing "server" argument' ],
        [ 'app', { server => $at[3], colour => 1 }, 'UpstreamConfFormatError',
          'unknown parameter "colour"' ],
        [ 'app', { server => 3 }, 'UpstreamConfFormatError',
          'invalid "server" value' ],
        [ 'app', { server => [ 3 ] }, 'UpstreamConfFormatError', 'nested' ],
        [ 'app', { server => $at[3], id => 7 }, 'UpstreamConfFormatError',
          '"id"' ],
        [ 'app', { server => '' }, 'UpstreamBadAddress',
          'invalid "server" argument' ],
        [ 'app', { server => '127.0.0.1:port' }, 'UpstreamBadAddress',
          'while parsing' ],
        [ 'app', { server => '127.0.0.1:1-2' }, 'UpstreamBadAddress', '' ],
        [ 'app', { server => '0.0.0.0:80' }, 'UpstreamBadAddress', '' ],
        [ 'app', { server => '127.0.0.1:80/x' }, 'UpstreamBadAddress', '' ],
        [ 'app', { server => 'be1.example:80' }, 'UpstreamConfNoResolver',
          'no resolver defined to resolve' ],
        [ 'app', { server => 'be1.example:1', service => 'http' },
          'UpstreamConfNoResolver', 'no resolver' ],
        [ 'app', { server => $at[3], service => '' }, 'UpstreamBadService',
          '"service" is empty' ],
        [ 'app', { server => $at[3], weight => 0 }, 'UpstreamBadWeight',
          'invalid "weight"' ],
        [ 'app', { server => $at[3], max_conns => -1 }, 'UpstreamBadMaxConns',
          'invalid "max_conns"' ],
        [ 'app', { server => $at[3], max_fails => -1 }, 'UpstreamBadMaxFails',
          'invalid "max_fails"' ],
        [ 'app', { server => $at[3], fail_timeout => 'x' },
          'UpstreamBadFailTimeout', 'invalid "fail_timeout"' ],
        [ 'app', { server => $at[3], slow_start => '-1' },
          'UpstreamBadSlowStart', 'invalid "slow_start"' ],
        [ 'mapped', { server => $at[3], backup => true }, 'UpstreamNoBackup',
          'upstream "mapped" has no backup' ],
        [ 'fixed', { server => $at[3] }, 'UpstreamStatic', '' ],
        $sessions
            ? [ 'app', { server => $at[3], route => $long },
                'UpstreamBadRoute', 'route is too long' ]
            : ([ 'app', { server => $at[3], route => '' },
                 'UpstreamConfFormatError', 'unknown parameter "route"' ],
               [ 'app', { server => $at[3], drain => true },
                 'UpstreamConfFormatError', 'unknown parameter "drain"' ],
               [ 'app', { server => '127.0.0.9' }, 'UpstreamBadAddress',
                 'no port in server "127.0.0.9"' ]))
    {
        my ($group, $body, $code, $text) = @$try;
        my ($got, $error) = call(POST => "$base/$group/servers", $body);

        is("$got $error->{error}{code}", "400 $code", "$protocol: $code");
        like($error->{error}{text}, qr/\Q$text\E/, 'the text for it');
    }

    is(refused(DELETE => "$servers/9"), '404 UpstreamServerNotFound', 'no id');
    is(refused(DELETE => "$servers/x"), '400 UpstreamBadServerId', 'a word');
    is(refused(POST => "$base/nowhere/servers", { server => $at[3] }),
       '404 UpstreamNotFound', 'no such group');
    is(refused(POST => "/ro/9/$protocol/upstreams/app/servers", {}),
       '405 MethodDisabled', 'read only');

    # trying, and only if nobody was faster

    my ($none, $tag) = etag($servers);

    ($status, $data) = call(POST => "$servers?dry_run=1",
                            { server => $at[3] });
    is("$status $data->{server}", "200 $at[3]", 'a dry run');
    is(refused(POST => "$servers?dry_run=1", { server => $at[0] }),
       '409 EntryExists', 'is refused as if it were none');
    is((call(PATCH => "$servers/0?dry_run=1", { weight => 9 }))[1]{weight}, 9,
       'a change');
    is(scalar @{(call(DELETE => "$servers/0?dry_run=1"))[1]}, 1,
       'a removal');
    is((etag($servers))[1], $tag, 'nothing has changed');

    my $r = request($api, 'PATCH', "$servers/0", body => '{"weight":2}',
                    headers => { 'If-Match' => $tag });
    is($r->{status}, 200, 'the etag fits');
    isnt($r->{headers}{etag}, $tag, 'there is another one');

    $r = request($api, 'PATCH', "$servers/0", body => '{"weight":3}',
                 headers => { 'If-Match' => $tag });
    is($r->{status}, 412, 'somebody was faster');
    is((call(GET => "$servers/0"))[1]{weight}, 2, 'nothing has changed');

    # all at once

    ($status, $data) = call(PUT => $servers, [ { server => $at[1] },
                            { server => $at[2], weight => 4 } ]);
    is($status, 200, 'all at once');
    is_deeply([ map { "$_->{server} $_->{weight}" } @$data ],
              [ "$at[1] 1", "$at[2] 4" ], 'one is gone, one changed, one new');
    is_deeply(used($protocol), { b2 => 10, b3 => 40 }, 'in force');

    is(refused(PUT => $servers, [ { server => $at[0] }, { server => 'x:' } ]),
       '400 UpstreamBadAddress', 'all or nothing');
    is(refused(PUT => $servers, [ { server => $at[0] },
                                  { server => $at[0] } ]),
       '409 EntryExists', 'one of each');
    is_deeply(used($protocol), { b2 => 10, b3 => 40 }, 'nothing has changed');
}

is_deeply(used('http mapped'), { b1 => 10 }, 'another group is as it was');

# a reload keeps it all, and makes places

$node->reload(wait_old => 1);

for my $protocol ('http', 'stream') {
    my $servers = "/api/9/$protocol/upstreams/app/servers";

    is_deeply(used($protocol), { b2 => 10, b3 => 40 },
              "$protocol: a reload keeps it");
    is_deeply(used("$protocol none"), { b1 => 10 }, 'also where none was');

    for my $i (1 .. 3) {
        is((call(POST => $servers, { server => "127.0.0.8:$i" }))[0], 201,
           'a place again');
    }
}

like($node->log(), qr/server "\Q$at[0]\E" of upstream "app" is in the file/,
     'who is in the file and was removed is told of');

done_testing();


sub call {
    my ($method, $path, $body) = @_;

    my $r = request($api, $method, $path,
                    defined $body
                    ? (body => JSON::PP->new->canonical->encode($body)) : ());

    my $data = eval { JSON::PP::decode_json($r->{body}) };

    # who has the change: t/sync_applied.t
    delete @$data{qw/applied pending/} if ref $data eq 'HASH';

    return ($r->{status}, $data);
}


sub refused {
    my ($status, $data) = call(@_);
    return "$status " . ($data->{error}{code} // 'no error');
}


sub etag {
    my $r = get($api, $_[0]);
    return ($r->{status}, $r->{headers}{etag});
}


# who answers how many of 10 requests for each unit of weight there is
sub used {
    my ($what) = @_;

    my ($protocol, $group) = split ' ', $what;
    my $weight = 0;
    my %used;

    $group //= 'app';

    for (@{(call(GET => "/api/9/$protocol/upstreams/$group/servers"))[1]}) {
        $weight += $_->{weight} unless $_->{down} || $_->{backup};
    }

    my $at = $protocol eq 'http' ? 'http'
             : $group eq 'none' ? 'snone' : 'stream';
    my $path = $group eq 'app' ? '/' : "/$group";

    for (1 .. 10 * ($weight || 1)) {
        my $name = eval {
            get($node->address($at), $path)->{headers}{'x-backend'} };
        $used{$name}++ if defined $name;
    }

    return \%used;
}
