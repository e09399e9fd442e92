#!/usr/bin/perl

# A store without room refuses a change with an error that says what to do,
# and what is in force stays in force.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $N = 1500;

my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        SERVERS => join("\n", map {
            sprintf 'server 127.0.%d.%d:1;', $_ / 250, $_ % 250 + 1
        } 0 .. $N - 1),
    },
    conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store_size 64k;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 2m;
        %%SERVERS%%
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC

$node->start();

my $connection = Duplex::Connection->new($node->address('api'));
my ($done, $r, $error) = (0);

while ($done < $N) {
    $r = patch($done, '{"down":true}');
    last if $r->{status} != 200;
    $done++;
}

$error = JSON::PP::decode_json($r->{body})->{error};

cmp_ok($done, '>', 50, "$done changes went in");
is("$r->{status} $error->{code}", '400 UpstreamOutOfMemory', 'then no more');
like($error->{text}, qr/duplex_store_size/, 'what to do');

my $peers = peers();

is(scalar(grep { $_->{state} eq 'down' } @$peers), $done,
   'what was accepted is in force, nothing else');
is(@$peers, $N, 'all peers are shown');

# the store has counted it, and told of it once

my (undef, $data) = api_get($node->address('api'), '/api/duplex/node');
my $zone = $data->{zones}{'duplex:store'};

is($zone->{records}, $done, 'records');
is($zone->{refused}, 1, 'refused');

# a record that is there can still be changed

is(patch(0, '{"down":false}')->{status}, 200, 'what is there can be changed');
$done--;

$node->reload(wait_old => 1);

is(scalar(grep { $_->{state} eq 'down' } @{peers()}), $done,
   'the same after a reload');

done_testing();


sub patch {
    my ($id, $body) = @_;

    return $connection->request('PATCH',
        "/api/9/http/upstreams/app/servers/$id", body => $body);
}


sub peers {
    my (undef, $group) = api_get($node->address('api'),
                                 '/api/9/http/upstreams/app');
    return $group->{peers};
}
