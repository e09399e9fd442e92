#!/usr/bin/perl

# What the administrator was told to be in force is in force after kill -9 of
# master and workers, and a start; a reload writes on in the same file.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;
duplex_store state/journal;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.1:1;
        server 127.0.0.1:2;
        server 127.0.0.1:3 down;
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

$node->start();

is((stat $dir)[2] & 0777, 0700, 'the directory is nobody else\'s');
is(scalar(my @one = segments()), 1, 'one file');
is((stat((segments())[0]))[2] & 0777, 0600, 'nor are the files');

$node->patch_peer('app', '127.0.0.1:1', { down => true });
$node->patch_peer('app', '127.0.0.1:2', { drain => true });
$node->patch_peer('app', '127.0.0.1:3', { down => false });

is(states(), 'down draining up', 'changed');

$node->kill9();
$node->start();

is(states(), 'down draining up', 'the same after kill -9 and a start');
is(scalar(@one = segments()), 1, 'one file again');

# the last word counts

$node->patch_peer('app', '127.0.0.1:1', { down => false });
$node->patch_peer('app', '127.0.0.1:2', { drain => false });

my ($segment) = segments();

$node->reload(wait_old => 1);

is((segments())[0], $segment, 'a reload goes on in the same file');

$node->patch_peer('app', '127.0.0.1:2', { down => true });

$node->stop();
$node->start();

is(states(), 'up down up', 'the same after a stop and a start');

# a reload that changes the store's size: its records, old and new, are kept

$node->configure($node->conf() =~ s/(duplex_node.*)/$1 duplex_store_size 1m;/r);
$node->reload(wait_old => 1);
$node->patch_peer('app', '127.0.0.1:1', { drain => true });
$node->kill9();
$node->start();

is(states(), 'draining down up', 'after a reload with another store');

# another directory, at a reload

$node->configure($node->conf() =~ s{state/journal}{state/other}r);
$node->reload(wait_old => 1);
$node->patch_peer('app', '127.0.0.1:3', { drain => true });
$node->kill9();
$node->start();

is(states(), 'draining down draining', 'after a reload with another directory');

done_testing();


sub states {
    my $peers = $node->peers('app');
    return join ' ', map { $peers->{"127.0.0.1:$_"}{state} } 1 .. 3;
}


sub segments {
    return sort grep { /journal\.\d+$/ } glob "$dir/*";
}
