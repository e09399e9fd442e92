#!/usr/bin/perl

# Sessions outlive a node that is stopped and started, all of them, and one
# that is killed, those older than the interval.  A file that is not whole is
# set aside, and the node starts without.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use constant SESSIONS => 200;


my $backend = Duplex::Backend->new(set => { sessions => 1 });

my $node = Duplex::Node->new(
    name => 'a',
    vars => { BACKEND => $backend->address(), INTERVAL => '' },
    conf => <<'EOC')->start();
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
thread_pool default threads=2;
duplex_store state/store %%INTERVAL%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server %%BACKEND%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h sync;
    }

    upstream other {
        zone other 256k;
        server %%BACKEND%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=short:1m timeout=1s;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
        }

        location /short {
            proxy_pass http://other;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
    }
}
EOC

my $dir = $node->prefix() . '/state/store';

# stopped, in either way

for my $signal ('QUIT', 'TERM') {
    $node->get('/') for 1 .. SESSIONS;
    $node->get('/short') for 1 .. 5;

    my $before = sessions();
    my $digest = digest();
    cmp_ok($before, '>=', SESSIONS, 'there are sessions');

    my $start = time();
    $node->stop($signal);
    cmp_ok(time() - $start, '<', 1.5 * $Duplex::Wait::slow,
           "$signal: it ends soon");

    $node->start();
    is(sessions(), $before, "$signal: all sessions are there again");
    is(digest(), $digest, 'as they were');
}

# what has ended since is not

$node->stop();
sleep 1.5;
$node->start();
is(node()->{zones}{short}{records}, 0, 'what had no time left is gone');

# killed

$node->configure($node->conf(), INTERVAL => 'interval=200ms');
$node->reload(wait_old => 1);

my $before = sessions();
$node->get('/') for 1 .. SESSIONS;

my ($file) = grep { (stat $_)[7] > 1000 } glob "$dir/zone.????????????????";
my $age = (stat $file)[9];

happens { (stat $file)[7] > 73 * ($before + SESSIONS) } 8, 'they are saved';

$node->kill9();
$node->start();
is(sessions(), $before + SESSIONS, 'they are there after kill -9');

my @left = grep { /\.(new|last)$/ } glob "$dir/zone.*";
cmp_ok(@left, '<=', 1, 'hardly a file is left behind');

# nothing changes, nothing is written

my $inode = (stat $file)[1];
sleep 1.2;
is((stat $file)[1], $inode, 'what has not changed is not written again');

# broken

$node->stop();
my $whole = do { local (@ARGV, $/) = ($file); <> };

my %broken = (
    'cut' => substr($whole, 0, -1),
    'half' => substr($whole, 0, length($whole) / 2),
    'empty' => '',
    'with a bit that is wrong' => do {
        my $x = $whole;
        substr($x, 5000, 1) ^= "\x10";
        $x
    },
    'with more behind it' => $whole . 'x',
    'something else' => 'x' x 1000,
);

for my $what (sort keys %broken) {
    my $mark = $node->mark();

    $node->write_file('state/broken', $broken{$what});
    rename $node->prefix() . '/state/broken', $file;
    unlink "$file.bad";

    $node->expect_log(qr/is not whole: it was set aside/);
    $node->start();

    is(sessions(), 0, "$what: starts without");
    ok(-e "$file.bad", 'the file is set aside');
    is(scalar $node->grep_log(qr/zone "sessions" starts empty/, $mark), 1,
       'it says so, once');

    $node->stop();
}

# whole again

$node->write_file('state/broken', $whole);
rename $node->prefix() . '/state/broken', $file;
$node->start();
is(sessions(), $before + SESSIONS, 'a whole one is read');

done_testing();


sub node {
    my ($status, $data) = $node->api_get('/api/9/duplex/node');
    return $data;
}


sub sessions { return node()->{zones}{sessions}{records} }


sub digest {
    my ($status, $data) = $node->api_get('/api/9/duplex/digests');
    return $data->{zones}{sessions}{digest};
}
