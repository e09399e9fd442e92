#!/usr/bin/perl

# A node that knows the secret and sends frames that are almost good: with
# wrong bits, cut, too long, of other types, out of place, claiming 4 GB.
# Nothing breaks, nothing grows, one line a client address and 10 seconds.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Wire qw/:all/;

use constant FRAMES => $ENV{DUPLEX_FRAMES} || 500;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
worker_processes 1;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.1:1;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:256k sync;
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
        zone_sync_secret secret;
    }
}
EOC

my $SECRET = 'a secret for this test';
my $seed = $ENV{DUPLEX_SEED} || int rand 1e9;
srand $seed;
diag("DUPLEX_SEED=$seed") if $ENV{DUPLEX_FRAMES};

$node->write_file('secret', "$SECRET\n");
chmod 0600, $node->prefix() . '/secret';
$node->start();

my ($worker) = $node->workers();
my $start = time();
my ($n, $ended, $rss) = (0, 0, undef);
my $wire;

while ($n < FRAMES) {
    $rss = rss() if $n >= FRAMES / 3 && !$rss;

    if (!$wire) {
        $wire = Duplex::Wire->new($node->address('sync'), name => 'x',
                                  from => '127.0.5.1', timeout => 1);
        $wire->handshake(secret => $SECRET) or next;

        for my $zone (0, 1) {
            my ($name, $kind) = @{[ [ 'duplex:store', 0 ],
                                    [ 'sessions', 0x73657373 ] ]->[$zone]};
            $wire->send(TABLE, pack 'n N Q> Q> C/a*', $zone, $kind, 1, 10,
                        $name);
        }
    }

    my $bytes = mutated(good());

    $wire->{timeout} = 0.003;

    if (!$wire->write($bytes) || $wire->is_closed()) {
        $wire->close();
        $wire = undef;
        $ended++;
    }

    $n++;
}

cmp_ok($ended, '>', FRAMES / 20, "$ended links were ended");
is(($node->workers())[0], $worker, 'the worker is alive');
cmp_ok(rss() - $rss, '<', 2 * 1024, 'it has not grown');

my @lines = $node->grep_log(qr/\b127\.0\.5\.1\b/);
cmp_ok(scalar @lines, '<=', 2 + (time() - $start) / 10, 'it said little of it')
    or diag(join "\n", @lines[0 .. 5]);

my ($status, $ready) = $node->api_get('/api/9/duplex/ready');
is($status, 200, 'and serves');

$node->expect_log(qr/malformed frame|ended: clock|was refused/);

done_testing();


# (type, flags, payload)
sub good {
    my $record = pack('C n n Q>', 0, 3, 5, int(time() * 1000) << 16)
                 . 'keyvalue';
    my $session = pack('C n n Q> Q>', 4, 16, 8, int(time() * 1000) << 16,
                       60000) . ('k' x 16) . ('v' x 8);

    my @good = (
        [ RECORDS, 0, pack('n n N Q> C/a*', 0, 1, 0x74657374, 5, 'zone')
                      . $record ],
        [ RECORDS, 0, pack('n n N Q> C/a*', 0, 2, 0x61646d6e, 0, 'http:app')
                      . $record x 2 ],
        [ RECORDS, 0, pack('n n N Q> C/a*', 1, 1, 0x73657373, 7, '')
                      . $session ],
        [ PING, 0, pack('N', 100) ],
        [ SYNCED, 0, '' ],
        [ TABLE, 0, pack('n N Q> Q> C/a*', 2, 0, 1, 10, 'another') ],
    );

    return @{$good[rand @good]};
}


sub mutated {
    my ($type, $flags, $payload) = @_;

    my $how = int rand 8;

    if ($how < 3) {
        for (1 .. 1 + int rand 3) {
            next if !length $payload;
            substr($payload, rand length $payload, 1) ^= chr(1 << rand 8);
        }

    } elsif ($how == 3) {
        substr($payload, rand length $payload) = '';

    } elsif ($how == 4) {
        $payload .= join '', map { chr rand 256 } 0 .. rand 40;

    } elsif ($how == 5) {
        $type = int rand 16;

    } elsif ($how == 6) {
        $flags = int rand 256;

    } else {
        # 4 GB to come
        return $wire->sealed(pack('N', 0xffffffff - int rand 9)
                             . substr(frame($type, $payload), 4))
            if rand 2 < 1;
    }

    my $frame = frame($type, $payload, $flags);

    # the code is wrong now and then
    return rand 10 < 1 ? $frame . 'x' x 16 : $wire->sealed($frame);
}


# KB
sub rss {
    open(my $f, '<', "/proc/$worker/status") or die "no worker\n";
    my ($kb) = map { /^VmRSS:\s+(\d+)/ } <$f>;
    return $kb;
}
