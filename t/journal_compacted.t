#!/usr/bin/perl

# A journal that grows is replaced by a short one while four workers write to
# it, and nothing that was answered is lost.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Writers;

use constant {
    SERVERS => 16,
    CHANGES => 2000,        # of each of four clients: about 1.7 MB
};


my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        LONG => 'x' x 240,
        SERVERS => join("\n", map { "server 127.0.1.$_:1;" } 0 .. SERVERS - 1),
    },
    conf => <<'EOC');
%%MAIN%%
worker_processes 4;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
}

http {
    %%HTTP%%

    upstream %%LONG%% {
        zone app 256k;
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

my $dir = $node->prefix() . '/state/journal';
my $upstream = 'x' x 240;

$node->start();

my $segment = segment();
my $began = time();

my $writers = Duplex::Writers->start(
    address => $node->address('api'),
    path => "/api/9/http/upstreams/$upstream/servers",
    clients => 4, states => [ ('up') x SERVERS ], changes => CHANGES,
    file => $node->prefix() . '/answers',
);

$writers->wait_end(120);

my ($expected, $answers) = $writers->expected();

is($answers, 4 * CHANGES, sprintf '%.0f changes a second were answered',
   $answers / (time() - $began));

isnt(segment(), $segment, 'there is a new file');
cmp_ok(-s segment(), '<', 1100 * 1024, 'it is shorter');
happens { (() = glob "$dir/journal.*") == 1 } 5, 'the old one is gone';

# each worker finds the new file by itself

$node->kill9();
$node->start();

my $peers = $node->peers($upstream);

is_deeply({ map { $_ => $peers->{"127.0.1.$_:1"}{state} } keys %$expected },
          { map { $_ => (keys %{$expected->{$_}})[0] } keys %$expected },
          'all is there after kill -9 and a start');

cmp_ok(-s segment(), '<', 20 * 1024, 'and a start makes the file short');

done_testing();


# the file that is written, the latest
sub segment {
    my @found = sort { ($a =~ /(\d+)$/)[0] <=> ($b =~ /(\d+)$/)[0] }
                glob "$dir/journal.*";
    return $found[-1];
}
