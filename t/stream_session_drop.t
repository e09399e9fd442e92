#!/usr/bin/perl

# "proxy_session_drop on": sessions end when their server goes down, in every
# worker, also in those that are about to leave; others stay, and so do those
# of a server that is only draining, and all of them when it is off.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use IO::Select;
use IO::Socket::INET;


my %b = map { $_ => IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                          Listen => 100) } qw/b1 b2/;

my $node = Duplex::Node->new(
    vars => { map { $_ => '127.0.0.1:' . $b{$_}->sockport() } keys %b },
    conf => <<'EOC',
%%MAIN%%
worker_processes 3;

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}

stream {
    upstream app {
        zone app 256k;
        server %%b1%%;
        server %%b2%%;
    }

    upstream nozone {
        server %%b1%%;
        server %%b2%%;
    }

    proxy_session_drop on;

    server {
        listen %%LISTEN_on%%;
        proxy_pass app;
    }

    server {
        listen %%LISTEN_off%%;
        proxy_pass app;
        proxy_session_drop off;
    }

    server {
        listen %%LISTEN_nozone%%;
        proxy_pass nozone;
    }
}
EOC
);

$node->start();

my %on = sessions('on', 12);
my %off = sessions('off', 4);
my %nozone = sessions('nozone', 2);

is(open_of($on{b1}) . ' ' . open_of($on{b2}), '6 6', 'sessions to both');

$node->patch_peer('stream/app', $node->expand('%%b1%%'), { down => true });

wait_for { open_of($on{b1}) == 0 } 5, 'sessions of the server are ended';
is(open_of($on{b2}), 6, 'those of the other are not');
is(open_of($off{b1}), 2, 'nor those where it is off');
is(open_of([ map { @{$_ || []} } values %nozone ]), 2, 'nor those of a group without a zone');
ok(talks($on{b2}[0]), 'and they still talk');

$node->patch_peer('stream/app', $node->expand('%%b1%%'), { down => false });

# sessions in old workers

my %old = sessions('on', 6);
$node->reload();
wait_for { $node->leaving_workers() == 3 } 5, 'old workers serve on';
is(open_of($old{b1}), 3, 'with their sessions');

$node->patch_peer('stream/app', $node->expand('%%b1%%'), { down => true });
wait_for { open_of($old{b1}) == 0 } 5, 'they end them, too';
is(open_of($old{b2}), 3, 'and only them');

my %down = sessions('on', 2);
is(scalar @{$down{b1} || []}, 0, 'new ones go to the server that is up');

close($_->{client}) for map { @{$_ || []} } values %on, values %off,
                        values %nozone, values %old, values %down;

done_testing();


# opens n sessions and finds out which backend each has
sub sessions {
    my ($name, $n) = @_;
    my %of;

    for my $i (1 .. $n) {
        my $client = IO::Socket::INET->new(PeerAddr => $node->address($name))
            or die "$name: $!";
        my ($listen) = IO::Select->new(values %b)->can_read(5)
            or die "$name: no session arrived";
        my $server = $listen->accept();
        my ($which) = grep { $b{$_} == $listen } keys %b;

        push @{$of{$which}}, { client => $client, server => $server };
    }

    return %of;
}

sub open_of {
    my ($sessions) = @_;

    return scalar grep {
        my ($ready) = IO::Select->new($_->{client})->can_read(0);
        !$ready || sysread($_->{client}, my $buf, 1000);
    } @$sessions;
}

sub talks {
    my ($session) = @_;

    syswrite($session->{client}, 'ping');
    IO::Select->new($session->{server})->can_read(5) or return 0;
    sysread($session->{server}, my $buf, 100);
    return $buf eq 'ping';
}
