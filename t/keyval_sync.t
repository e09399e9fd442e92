#!/usr/bin/perl

# A key-value zone with "sync" is the same on both nodes: what is added,
# changed and deleted on one, whole zones included.  One without stays.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        %%SERVERS%%
    }

    keyval_zone zone=shared:256k sync timeout=1h;
    keyval_zone zone=own:256k;

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my ($a, $b) = $pair->nodes();

$_->start() for $a, $b;
$pair->wait_linked();

is(call($a, 'POST', 'shared', { k => 'a' }), 201, 'added on a');
happens { (pairs($b, 'shared')->{k} // '') eq 'a' } 3, 'is on b';

is(call($b, 'PATCH', 'shared', { k => 'b' }), 204, 'changed on b');
happens { pairs($a, 'shared')->{k} eq 'b' } 3, 'is so on a';

is(call($a, 'PATCH', 'shared', { k => undef }), 204, 'deleted on a');
happens { !exists pairs($b, 'shared')->{k} } 3, 'is gone on b';

is(call($b, 'POST', 'shared', { map { $_ => $_ } 'a' .. 'z' }), 201,
   'many on b');
happens { keys %{pairs($a, 'shared')} == 26 } 3, 'are on a';

is(call($a, 'DELETE', 'shared'), 204, 'all deleted on a');
happens { !%{pairs($b, 'shared')} } 3, 'are gone on b';

is(call($a, 'POST', 'own', { k => 'a' }), 201, 'added without sync');
is(call($a, 'POST', 'shared', { last => '1' }), 201, 'and with, after it');
happens { exists pairs($b, 'shared')->{last} } 3, 'the latter is on b';
is_deeply(pairs($b, 'own'), {}, 'the former is not');

done_testing();


sub call {
    my ($node, $method, $zone, $data) = @_;

    return (api_call($node->address('api'), $method,
                     "/api/9/http/keyvals/$zone", $data))[0];
}


sub pairs {
    my ($node, $zone) = @_;
    return (api_get($node->address('api'), "/api/9/http/keyvals/$zone"))[1];
}
