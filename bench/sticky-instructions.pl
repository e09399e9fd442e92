#!/usr/bin/perl

# Instructions a proxied request costs with each method of "sticky", as a
# ratio to the same nginx without our modules: user-space instructions of the
# worker, counted by callgrind, so they repeat to 0.1 %.
#
# "request_pool_size" is large, so that no row is the one that needs another
# block for its request: that costs 500 instructions, and is a matter of luck.
#
# usage: bench/sticky-instructions.pl [REQUESTS]
#
# Needs valgrind and "make build".  Exit code 1: a goal was missed.

use FindBin;
use lib "$FindBin::Bin/../t/lib";

use strict;
use warnings;

use Duplex::Client;
use Duplex::Connection;
use Duplex::Node;
use Duplex::Wait;
use POSIX ();

my $requests = shift || 2000;
my $first = 300;

my $backend = Duplex::Node->new(name => 'backend', conf => <<'EOC');
%%MAIN%%
worker_processes 1;
events { }
http {
    %%HTTP%%
    keepalive_requests 1000000;
    map $cookie_sid $new { "" "sid=0123456789abcdef0123456789abcdef"; }
    add_header Set-Cookie $new;
    server { listen %%LISTEN_one%%; return 200 "one\n"; }
    server { listen %%LISTEN_two%%; return 200 "two\n"; }
}
EOC

$backend->start();

my $sid = '0123456789abcdef0123456789abcdef';

# name, "sticky", cookie, limit
my @rows = (
    [ 'plain', undef, undef ],
    [ 'loaded, not used', '', 1.001 ],
    [ 'sticky cookie', 'sticky cookie id;', 1.025 ],
    [ 'sticky cookie expires=1h path=/ httponly signed',
      'sticky cookie id expires=1h path=/ httponly signed=%%PREFIX%%/keys;',
      1.025 ],
    [ 'sticky route', 'sticky route $cookie_id;', 1.025 ],
    [ 'sticky learn sync, known session',
      'sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
              zone=sessions:16m timeout=1h sync;', 1.06 ],
);

my ($plain, $missed);

printf("%-48s %12s %8s %8s\n", 'instructions per request', 'count', 'ratio',
       'goal');

for my $row (@rows) {
    my ($name, $sticky, $goal) = @$row;
    my $count = count($sticky);

    $plain = $count if !defined $plain;

    my $ratio = $count / $plain;
    my $bad = defined $goal && $ratio > $goal;
    $missed = 1 if $bad;

    printf("%-48s %12.0f %8.4f %8s %s\n", $name, $count, $ratio,
           defined $goal ? "<=$goal" : '', $bad ? 'MISSED' : '');
}

$backend->stop();
POSIX::_exit($missed ? 1 : 0);


# instructions of one request
sub count {
    my ($sticky) = @_;
    return (run($sticky, $first + $requests) - run($sticky, $first))
           / $requests;
}


# all instructions of a process that serves so many
sub run {
    my ($sticky, $n) = @_;

    my $node = Duplex::Node->new(name => 'bench', conf => conf($sticky));
    my $dir = $node->prefix();

    $node->write_file('keys', "0123456789abcdef\n");

    my @command = ('valgrind', '-q', '--tool=callgrind',
                   "--callgrind-out-file=$dir/callgrind",
                   Duplex::Node::binary(), '-p', "$dir/", '-c',
                   "$dir/nginx.conf");

    my $pid = fork();

    if ($pid == 0) {
        open(STDERR, '>', "$dir/stderr");
        exec(@command) or POSIX::_exit(127);
    }

    wait_for {
        my $r = eval { get($node->address('front'), '/') };
        $r && $r->{status} == 200;
    } 60, 'nginx under valgrind';

    my $c = Duplex::Connection->new($node->address('front'));
    my $r = $c->get('/');

    # as long for all, so that parsing it costs the same

    my $id = $r->{cookies}{id} // '';
    $id = 'one' if !$id && $sticky && $sticky =~ /route/;
    my $cookie = "theme=dark; lang=en; sid=$sid; id=$id";
    $cookie .= '; x=' . 'x' x (100 - length $cookie);

    for (1 .. $n) {
        my $r = $c->get('/', cookie => $cookie);
        die "status $r->{status}\n" if $r->{status} != 200;
    }

    $c->close();
    kill 'TERM', $pid;
    waitpid($pid, 0);

    open(my $f, '<', "$dir/callgrind") or die "$dir/callgrind: $!\n";
    my ($total) = map { /^(?:summary|totals): (\d+)/ ? $1 : () } <$f>;

    return $total;
}


sub conf {
    my ($sticky) = @_;

    my $main = defined $sticky ? '%%MAIN%%' : 'pid %%PREFIX%%/nginx.pid;
error_log %%PREFIX%%/error.log notice; daemon off;';

    # stock before 1.29.6 does not know "route"

    my @route = defined $sticky ? (' route=one', ' route=two') : ('', '');

    $sticky //= '';

    my ($one, $two) = map { $backend->address($_) } qw/one two/;

    return <<"EOC";
$main
master_process off;
worker_processes 1;
events { }
http {
    %%HTTP%%
    keepalive_requests 1000000;
    request_pool_size 16k;
    upstream app {
        zone app 256k;
        server $one$route[0];
        server $two$route[1];
        $sticky
        keepalive 8;
    }
    server {
        listen %%LISTEN_front%%;
        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
}
EOC
}
