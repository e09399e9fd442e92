#!/usr/bin/perl

# A session whose server is not in this node's file is balanced, and kept for
# the node, or the day, that knows the server: not even an answer that names
# the session again binds it anew.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my %b = map {
    $_ => Duplex::Backend->new(name => $_, set => { sessions => 1 })
} qw/a b c/;

my $conf = <<'EOC';
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 64k;
        server %%first%%;
        server %%second%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=sessions:64k;
    }

    server {
        listen %%LISTEN_front%%;
        location / { proxy_pass http://app; }
    }
}
EOC

my %servers = (first => $b{a}->address(), second => $b{b}->address());

my $node = Duplex::Node->new(vars => { %servers }, conf => $conf);

$node->start();

sub ask {
    my ($cookie) = @_;

    return join '', map {
        $node->get('/', cookie => $cookie)->{headers}{'x-backend'}
    } 1 .. 6;
}

my $c = Duplex::Connection->new($node->address('front'));
my $r = $c->get('/');
$c->get('/', cookie => 'sid=none');         # the first is over now

my $cookie = "sid=$r->{cookies}{sid}";
my $name = $r->{headers}{'x-backend'};

is(ask($cookie), $name x 6, "a session of $name");

# its server is replaced by another

$node->{vars}{$name eq 'a' ? 'first' : 'second'} = $b{c}->address();
$node->configure($conf);
$node->reload(wait_old => 1);

my $other = $name eq 'a' ? 'b' : 'a';

like(ask($cookie), qr/^(?=.*c)(?=.*$other)/, 'is balanced without its server');

$b{$_}->set(headers => [ "Set-Cookie: $cookie" ]) for keys %b;

like(ask($cookie), qr/^(?=.*c)(?=.*$other)/,
     'and bound to nobody by an answer');

# and comes back

$node->{vars}{$_} = $servers{$_} for keys %servers;
$node->configure($conf);
$node->reload(wait_old => 1);

is(ask($cookie), $name x 6, 'and is there when the server is known again');

done_testing();
