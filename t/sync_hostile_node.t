#!/usr/bin/perl

# A node that was welcome and then sends what it should not: the link is
# closed with one line that says why, and nothing of the frame is applied.

use FindBin;
use lib "$FindBin::Bin/lib";

use Compress::Zlib qw/crc32/;

use Duplex::Test;

use constant {
    HELLO => 1, TABLE => 4, RECORDS => 5, PING => 8,
    TAG => 0x74657374,          # a kind nobody knows
    SESSIONS => 0x73657373,
};


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC')->start();
%%MAIN%%
worker_processes 1;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 1m;
        server 127.0.0.1:1;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m sync;
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

my $day = 24 * 3600 * 1000;
my $now = int(time() * 1000);

my $main = table(0, 'duplex:store', 0);
my $good = record('good', 'value', $now);

# what follows a good HELLO, why the link ends, records that are applied

my @cases = (
    [ 'good records', $main . records(0, TAG, $good, record('2', '', $now)),
      undef, 2 ],
    [ 'a table that was not announced', records(0, TAG, $good),
      'malformed frame: unknown table', 0 ],
    [ 'an index left out', table(1, 'duplex:store', 0),
      'malformed frame: unknown table', 0 ],
    [ 'a table that is not here', table(0, 'nonsense', 0)
      . records(0, TAG, $good), 'malformed frame: unknown table', 0 ],
    [ 'a kind that does not belong there', table(0, 'sessions', SESSIONS)
      . records(0, TAG, $good), 'malformed frame: wrong kind of record', 0 ],
    [ 'a record that ends early', $main
      . records(0, TAG, $good, substr(record('cut', 'value', $now), 0, -1)),
      'malformed frame: bad payload', 0 ],
    [ 'a record of 64 KB in 60 bytes', $main
      . records(0, TAG, $good, record('huge', 'value', $now, 65535)),
      'malformed frame: bad payload', 0 ],
    [ 'a time two days ahead', $main
      . records(0, TAG, $good, record('late', '', $now + 2 * $day)),
      'ended: clock', 0 ],
    [ 'a second HELLO', hello('again'), 'malformed frame: not expected now',
      0 ],
    [ 'a PING without an age', frame(PING, ''),
      'malformed frame: bad payload', 0 ],
);

my $n = 0;

for my $case (@cases) {
    my ($what, $bytes, $why, $applied) = @$case;

    # each by a name of its own: what one has applied is not new of the next
    my $name = 'n' . ++$n;
    my $before = total();
    my $mark = $node->mark();

    # and an address of its own: the log tells of each once in 10 seconds
    my %args = (from => "127.0.1.$n", timeout => 0.3);

    my ($answer, $closed) = raw($node->address('sync'), hello($name) . $bytes,
                                %args);

    if ($why) {
        ok($closed, "$what: closed");

        my @lines = $node->grep_log(qr/"$name"/, $mark);

        is(@lines, 1, "$what: one line") or diag(join "\n", @lines);
        like($lines[0], qr/\Q$why\E$/, "$what: says why");

    } else {
        ok(!$closed, "$what: welcome");
    }

    is(total() - $before, $applied, "$what: $applied applied");
}

my $mark = $node->mark();

raw($node->address('sync'), hello('again') . hello('again'),
    from => '127.0.2.1', timeout => 0.3) for 1 .. 5;

is($node->grep_log(qr/malformed frame/, $mark), 1,
   'who does it five times gets one line in the log');

$node->expect_log(qr/malformed frame|ended: clock/);

done_testing();


sub total {
    my ($status, $data) = $node->api_get('/api/9/stream/zone_sync');

    my $sum = 0;
    $sum += $_->{records_total} for values %{$data->{zones}};
    return $sum;
}


sub frame {
    my ($type, $payload) = @_;

    my $header = pack('NCCn', length $payload, $type, 0, 0);
    return $header . pack('N', crc32($header . $payload)) . $payload;
}


sub hello {
    my ($name) = @_;

    return frame(HELLO, 'NGXDUPLX' . pack('nn Q> Q> C/a* C/a* x2', 1, 1, 7,
                                          int(time() * 1000) << 16, $name,
                                          ''));
}


sub table {
    my ($index, $name, $kind) = @_;
    return frame(TABLE, pack('n N Q> Q> C/a*', $index, $kind, 1, 10, $name));
}


sub records {
    my ($index, $kind, @records) = @_;

    return frame(RECORDS, pack('n n N Q> C/a*', $index, scalar @records,
                               $kind, 0, 'zone') . join '', @records);
}


# "time" in ms; a lifetime of a minute
sub record {
    my ($key, $value, $time, $len) = @_;

    return pack('C n n Q> Q>', 4, length $key,
                defined $len ? $len : length $value, $time << 16, 60000)
           . $key . $value;
}
