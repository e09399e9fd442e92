#!/usr/bin/perl

# What was added, changed and removed on one node is so on the other, also
# when both add at a time; and what was answered outlives kill -9 of all
# processes, however many servers there are by then.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 2, conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 64k;
        duplex_spare 40;
        server 127.0.0.21:%%PORT_backend%%;
        server 127.0.0.22:%%PORT_backend%%;
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
    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

$pair->start();
$pair->wait_linked();

my ($a, $b) = $pair->nodes();
my ($b1, $b2) = map { $_->address() } $pair->backends();
my $path = '/api/9/http/upstreams/app/servers';

# added here, there there

my $added = call($a, POST => $path, { server => '127.0.0.9:1', weight => 4,
                 max_conns => 3, route => 'x', down => true }, 201);

is($added->{id}, 2, 'added');
wait_for { same() } 5, 'the other node has it';
delete @{$added}{qw/applied pending/};
is_deeply(call($b, GET => "$path/2"), $added, 'with all that was said');

call($b, PATCH => "$path/2", { weight => 9 });
call($a, PATCH => "$path/2", { max_conns => 8 });
wait_for { same() } 5, 'both changes are everywhere';
is(call($_, GET => "$path/2")->{weight}, 9, 'a field from one node'),
is(call($_, GET => "$path/2")->{max_conns}, 8, 'one from the other')
    for $pair->nodes();

# a server of the file

call($b, DELETE => "$path/0");
wait_for { same() } 5, 'a removal is everywhere';
is(get($a->address('front'), '/')->{headers}{'x-backend'}, 'b2', 'in force')
    for 1 .. 4;

call($a, PATCH => "$path/2", { server => '127.0.0.9:2' });
wait_for { same() } 5, 'a move is everywhere';
is(call($b, GET => "$path/2")->{server}, '127.0.0.9:2', 'under its id');

# both add at the same time, each without having heard of the other's

for my $i (1 .. 5) {
    for my $node ($a, $b) {
        my $name = $node->name() eq 'a' ? "127.0.1.$i:1" : "127.0.2.$i:1";
        call($node, POST => $path, { server => $name }, 201);
    }
}

wait_for { same() && @{servers($a)} == 12 } 10, 'all are on both';

my %ids = map { $_->{id} => 1 } @{servers($a)};
is(scalar keys %ids, 12, 'each has an id of its own');

# more than there were spare places for at the start

call($a, DELETE => "$path/$_->{id}")
    for grep { $_->{server} =~ /^127\.0\.[12]\./ } @{servers($a)};
wait_for { same() } 5, 'they are gone';

call($a, POST => $path, { server => "127.0.3.$_:1" }, 201) for 1 .. 30;
$a->reload(wait_old => 1);
call($a, POST => $path, { server => "127.0.4.$_:1" }, 201) for 1 .. 30;

my $want = servers($a);
is(scalar @$want, 62, '62 servers');

$a->kill9();
$b->kill9();
$a->start();

is_deeply(servers($a), $want, 'all are there after kill -9');
unlike($a->log(), qr/no place/, 'and have places');
is(get($a->address('front'), '/')->{headers}{'x-backend'}, 'b2', 'it serves');

$b->start();
$pair->wait_linked();
wait_for { same() } 10, 'and on the other node';

# what nobody says any more of a line that has changed

call($a, PATCH => "$path/1", { weight => 7 });
wait_for { same() } 5, 'a weight of a server of the file';

$a->configure($a->conf() =~ s/(127.0.0.22\S+);/$1 max_conns=5;/r);
$a->reload(wait_old => 1);

my $server = call($a, GET => "$path/1");

is("$server->{weight} $server->{max_conns}", '1 5',
   'another line wins over what was said against the old one');
is(call($b, GET => "$path/1")->{weight}, 7, 'where it is as it was, it holds');

done_testing();


sub call {
    my ($node, $method, $what, $body, $want) = @_;

    my ($status, $data) = api_call($node->address('api'), $method, $what,
                                   $body);

    is($status, $want || 200, "$method $what") or diag(explain($data));
    return $data;
}


sub servers {
    my ($node) = @_;
    return (api_get($node->address('api'), $path))[1];
}


sub same {
    my @texts = map { JSON::PP->new->canonical->encode(servers($_)) }
                $pair->nodes();
    return $texts[0] eq $texts[1];
}
