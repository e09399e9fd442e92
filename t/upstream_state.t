#!/usr/bin/perl

# "state FILE" holds the servers of a group: written with every change, read
# by the next configuration; it is enough for a node without a journal, and
# what the store says wins where there is one.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my @b = map { Duplex::Backend->new(name => "b$_") } 1 .. 3;
my @at = map { $_->address() } @b;

my $conf = <<'EOC';
%%MAIN%%
%%STORE%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 64k;
        state %%PREFIX%%/state/app.state;
    }

    server {
        listen %%LISTEN_front%%;
        location / { proxy_pass http://app; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api/ { api write=on; }
    }
}

stream {
    upstream app {
        state state/stream.state;
        zone sapp 64k;
    }

    server { listen %%LISTEN_stream%%; proxy_pass app; }
}
EOC

for my $store ('', 'duplex_store %%PREFIX%%/store;') {

    my $node = Duplex::Node->new(name => 'a', conf => $conf,
                                 vars => { STORE => $store });

    # workers write there

    mkdir $node->prefix() . '/state';
    chmod 0777, $node->prefix() . '/state';

    # no file: nobody is there

    $node->start();
    is_deeply(servers($node, 'http'), [], 'no file, no servers');

    # every change is there when it is answered

    for my $protocol ('http', 'stream') {
        my $file = $protocol eq 'http' ? 'state/app.state'
                                        : 'state/stream.state';
        my $path = "/api/9/$protocol/upstreams/app/servers";
        my $sessions = $protocol eq 'http';

        change($node, POST => $path, { server => $at[0] });
        is(text($node, $file), "server $at[0];\n", 'one server');

        change($node, POST => $path, { server => $at[1], weight => 3,
            max_conns => 4, max_fails => 5, fail_timeout => '30s',
            backup => true, down => true,
            $sessions ? (route => 'a b;"$') : () });

        my $line = "server $at[1] weight=3 max_conns=4 max_fails=5 "
            . 'fail_timeout=30s'
            . ($sessions ? ' "route=a b;\\"$"' : '') . " backup down;\n";

        is(text($node, $file), "server $at[0];\n$line", 'all parameters');

        change($node, POST => $path, { server => $at[2] });
        change($node, DELETE => "$path/0");
        is(text($node, $file), "${line}server $at[2];\n", 'one is gone');

        change($node, PATCH => "$path/2", { weight => 2 });
        is(text($node, $file), "${line}server $at[2] weight=2;\n",
           'one has changed');
    }

    my %was = map { $_ => servers($node, $_) } qw/http stream/;

    is(get($node->address('front'), '/')->{headers}{'x-backend'}, 'b3',
       'it serves');

    # it is what the next configuration begins with

    $node->reload(wait_old => 1);
    is_deeply(servers($node, $_), $was{$_}, "$_: the same after a reload")
        for qw/http stream/;
    is(get($node->address('front'), '/')->{headers}{'x-backend'}, 'b3',
       'it serves');

    $node->stop();
    $node->start();

    my @want = map { { %$_ } } @{$was{http}};
    $want[$_]{id} = $_ for $store ? () : 0 .. $#want;

    is_deeply(servers($node, 'http'), \@want, 'the same after a restart');
    is(get($node->address('front'), '/')->{headers}{'x-backend'}, 'b3',
       'it serves');

    # a server of the file can be removed like any other

    my $path = '/api/9/http/upstreams/app/servers';

    change($node, DELETE => "$path/$_->{id}") for @want;
    is(text($node, 'state/app.state'), '', 'all are gone');
    $node->reload(wait_old => 1);
    is_deeply(servers($node, 'http'), [], 'also after a reload');

    # a file that an older change left behind

    if ($store) {
        change($node, POST => $path, { server => $at[0] });
        $node->kill9();
        $node->write_file('state/app.state', "server $at[0] weight=7;\n"
                          . "server $at[1];\nserver 127.0.0.9:1;\n");
        $node->start();

        is_deeply([ map { "$_->{server} $_->{weight}" }
                    sort { $a->{server} cmp $b->{server} }
                    @{servers($node, 'http')} ],
                  [ "$at[0] 1", '127.0.0.9:1 1' ],
                  'the store wins, what it does not know comes in');
    }
}

# what cannot be

my $node = Duplex::Node->new(name => 'b', conf => "%%MAIN%%\nevents { }\n");

$node->write_file('bad', "server 127.0.0.1:1;\nkeepalive 4;\n");
$node->write_file('worse', "server 127.0.0.1:1 colour=red;\n");
$node->write_file('one', "server 127.0.0.1:1;\n");

for my $protocol ('http', 'stream') {
    for my $try ([ 'zone a 64k; state bad;', 'not "keepalive"' ],
                 [ 'zone a 64k; state worse;', '"colour=red"' ],
                 [ 'zone a 64k; state one; server 127.0.0.1:2;', '"state"' ],
                 [ 'zone a 64k; server 127.0.0.1:2; state one;', '"server"' ],
                 [ 'zone a 64k; state one; state one;', 'is duplicate' ],
                 [ 'state one;', 'needs "zone"' ])
    {
        my ($lines, $text) = @$try;
        my ($ok, $said) = $node->test_config(
            "%%MAIN%%\nevents { } $protocol { upstream a { $lines } }");

        ok(!$ok, "$protocol: refused: $lines");
        like($said, qr/\[emerg\].*\Q$text\E/, 'the reason');
    }
}

done_testing();


sub servers {
    my ($node, $protocol) = @_;
    return (api_get($node->address('api'),
                    "/api/9/$protocol/upstreams/app/servers"))[1];
}


sub change {
    my ($node, $method, $path, $body) = @_;

    my ($status, $data) = api_call($node->address('api'), $method, $path,
                                   $body);

    like($status, qr/^20[01]$/, "$method")
        or diag(JSON::PP::encode_json($data));
}


sub text {
    my ($node, $name) = @_;

    open(my $f, '<', $node->prefix() . "/$name") or return "no $name";
    local $/;
    return <$f> // '';
}
