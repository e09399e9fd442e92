#!/usr/bin/perl

# A client that listens is told at once what has changed, and after a break
# what it has missed, or that it has missed something.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use IO::Socket::INET;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
duplex_node %%NAME%%;
duplex_store_size 64k;

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}
EOC

$node->start();

my $api = $node->address('api');

# the list

my ($status, $list) = api_get($api, '/api/duplex/events/recent');

is($status, 200, 'recent events');
is(@$list, 1, 'one so far');
is($list->[0]{id}, 1, 'its id');
is($list->[0]{type}, 'configuration', 'its type');
is($list->[0]{subject}, 'a', 'its subject');
is($list->[0]{text}, 'generation 1 was loaded', 'its text');
like($list->[0]{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
     'its time');

my $incarnation = (api_get($api, '/api/duplex/node'))[1]{incarnation};

# from the beginning

my $text = stream("?since=$incarnation-0");

like($text, qr{^HTTP/1.1 200 OK\r}, 'a stream');
like($text, qr{\r\nContent-Type: text/event-stream\r\n}, 'its type');
like($text, qr{\r\nCache-Control: no-store\r\n}, 'not for caches');
unlike($text, qr{Content-Length}, 'without an end');
is_deeply([ events($text) ],
          [ [ "$incarnation-1", 'configuration', $list->[0] ] ],
          'what was before');

is_deeply([ events(stream("?since=$incarnation-1")) ], [], 'nothing since');
is_deeply([ events(stream('')) ], [], 'nothing from now on');
is_deeply([ map { $_->[0] } events(stream('',
                                   "Last-Event-ID: $incarnation-0")) ],
          [ "$incarnation-1" ], 'Last-Event-ID');
is_deeply([ map { $_->[0] } events(stream('?since=' . '0' x 16 . '-7')) ],
          [ "$incarnation-1" ], 'an id of another life: all of this one');

for my $since ('', '1', 'x' x 30, "$incarnation", "$incarnation-",
               "$incarnation-x", "$incarnation--1",
               "$incarnation-99999999999999999999")
{
    my ($status, $data) = api_get($api, "/api/duplex/events?since=$since");

    is("$status $data->{error}{code}", '400 EventsBadId', "since=$since");
}

my $head = request($api, 'HEAD', '/api/duplex/events');

is($head->{status}, 200, 'HEAD');
is($head->{headers}{'content-type'}, 'text/event-stream', 'HEAD: type');

# live, over a reload, which ends it

my $socket = IO::Socket::INET->new(PeerAddr => $api) or die "connect: $!";

print $socket "GET /api/duplex/events HTTP/1.1\r\nHost: a\r\n\r\n";

my $live = '';
$live .= <$socket> until $live =~ /^retry: /m;

$node->reload();

local $/;
$live .= <$socket>;

is_deeply([ map { $_->[2]{text} } events($live) ],
          [ 'generation 2 was loaded' ], 'the stream brings the reload');
like($live, qr/\r\n0\r\n\r\n$/, 'and ends with its worker');

# a ring of eight: whoever comes late is told so

$node->reload() for 3 .. 12;

my @late = events(stream("?since=$incarnation-1"));

is($late[0][1], 'missed', 'something was missed');
is($late[0][2]{missed} + 1 + @late - 1, 12, 'how much');
is($late[-1][2]{text}, 'generation 12 was loaded', 'the latest is there');
is_deeply([ map { $_->[2]{id} } @late[1 .. $#late] ],
          [ 12 - @late + 2 .. 12 ], 'without a gap');

done_testing();


# what has come within half a second
sub stream {
    my ($args, @headers) = @_;

    return raw($api, join("\r\n", "GET /api/duplex/events$args HTTP/1.1",
                          'Host: a', @headers, '', ''), timeout => 0.5);
}


sub events {
    my ($text) = @_;
    my @events;

    my (undef, $body) = split /\r\n\r\n/, $text, 2;

    # chunks end where events end
    $body =~ s/^[0-9a-f]+\r\n//mg;
    $body =~ s/\r\n//g;

    for my $event (split /\n\n/, $body) {
        my %line = $event =~ /^(\w+): (.*)$/mg;

        push @events, [ $line{id}, $line{event},
                        JSON::PP::decode_json($line{data}) ]
            if $line{data};
    }

    return @events;
}
