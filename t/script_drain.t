#!/usr/bin/perl

# lua-free-scripts/drain drains a server by its address and takes it back, and
# says what is wrong.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(conf => <<'EOC')->start();
%%MAIN%%

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%% weight=2;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }

        location /look/ {
            api;
        }
    }
}
EOC

my $base = 'http://' . $node->address('api');
my $port = $node->port('backend');
my ($one, $two) = map { "127.0.0.$_:$port" } 21, 22;

is_deeply([ drain("$base/api", 'app', $one) ], [ 0, "$one draining\n" ],
          'drains');
is($node->peer_state('app', $one), 'draining', 'so says the API');
is($node->peer_state('app', $two), 'up', 'the other one is left alone');

is_deeply([ drain("$base/api/", 'app', $one, 'off') ], [ 0, "$one up\n" ],
          'takes it back');

is_deeply([ drain("$base/api", 'app', $two) ], [ 0, "$two draining\n" x 2 ],
          'drains both lines of one address');

for (
    [ 1, qr/^drain: server "127.0.0.2:\d+" not found in "app"$/,
      "$base/api", 'app', "127.0.0.2:$port" ],
    [ 1, qr/^drain: .*upstream/, "$base/api", 'nowhere', $one ],
    [ 1, qr/^drain: .*(?:read-only|write)/i, "$base/look", 'app', $one ],
    [ 1, qr/^drain: /, "$base/elsewhere", 'app', $one ],
    [ 1, qr/^drain: curl: .*connect/, 'http://127.0.0.1:1', 'app', $one ],
    [ 2, qr/^usage: drain API/, "$base/api", 'app' ],
    [ 2, qr/^usage: drain API/, "$base/api", 'app', $one, 'on' ],
) {
    my ($code, $text, @args) = @$_;
    my ($is, $said) = drain(@args);

    is($is, $code, "exit code $code: @args[1 .. $#args]");
    like($said, $text, 'says why');
}

done_testing();


# (exit code, all that it said)
sub drain {
    my @command = (Duplex::Directory::root() . '/lua-free-scripts/drain', @_);

    my $pid = open(my $out, '-|') // die "fork() failed: $!\n";

    if ($pid == 0) {
        open(STDERR, '>&', \*STDOUT);
        exec @command or POSIX::_exit(127);
    }

    my $said = do { local $/; <$out> };
    close $out;

    return ($? >> 8, $said);
}
