#!/usr/bin/perl

# A verdict that the store has no memory for is not in force, so it is not
# told as one; it is tried again with the next probe.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use constant SERVERS => 150;    # 64k have room for less than that


my $node = Duplex::Node->new(
    name => 'a',
    vars => {
        SIZE => "64k",
        SERVERS => join("\n", map { "server 127.0.1.$_:1;" } 1 .. SERVERS),
    },
    conf => <<'EOC',
%%MAIN%%
duplex_store_size %%SIZE%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 1m;
        %%SERVERS%%
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            health_check interval=200ms;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}
EOC
);

$node->start();

$node->wait_log(qr/\[error\].*(?:verdict|probe) in "http:app" was refused: .*no memory/);

wait_for { my @told = told(); @told && "@told" eq join ' ', unhealthy() } 5,
    'as many to be told as are unhealthy';

cmp_ok(scalar(told()), '<', SERVERS, 'not all verdicts found room');

$node->configure($node->conf(), SIZE => '1m');
$node->reload();

wait_for { unhealthy() == SERVERS } 5, 'all verdicts, with more memory';

is(scalar(told()), SERVERS, 'each is told once');

done_testing();


# addresses whose verdict is in the log, and those that the API shows
sub told {
    my $peer = qr{peer "([\d.:]+)" in upstream "app" is now unhealthy};
    my @told = sort map { $_ =~ $peer } $node->grep_log($peer);
    return @told;
}

sub unhealthy {
    my $peers = $node->peers('app');
    my @unhealthy = sort grep { $peers->{$_}{state} eq "unhealthy" }
                     keys %$peers;
    return @unhealthy;
}
