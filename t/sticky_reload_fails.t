#!/usr/bin/perl

# A worker that is born after a reload that failed learns sessions as the
# configuration in force says, and not as the other one did.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my @backends = map { Duplex::Backend->new() } 1 .. 3;
my $taken = Duplex::Backend->new();

my $conf = <<'EOC';
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        %%SERVERS%%
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=sessions:64k %%HEADER%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_limit_rate 20k;
        }
    }

    %%MORE%%
}
EOC

my $node = Duplex::Node->new(name => 'a', conf => $conf, vars => {
    SERVERS => join('', map { 'server ' . $_->address() . ';' } @backends),
    HEADER => 'header', MORE => '',
});

$_->set(sessions => 1, body => 'x' x 200000) for @backends;
$node->start();
learns('at first');

$node->expect_log(qr/bind\(\) to \S+ failed|still could not bind/);
$node->configure($conf, HEADER => '',
                 MORE => 'server { listen ' . $taken->address() . '; }');
like($node->try_reload(), qr/still could not bind/, 'a reload failed');

my ($old) = $node->workers();
$node->kill9_worker($old);
wait_for { (grep { $_ != $old } $node->workers()) == 1 } 5, 'another worker';

learns('a worker born later');

done_testing();


# the session counts while its first answer is under way
sub learns {
    my ($who) = @_;

    my $s = IO::Socket::INET->new($node->address('front'));
    print $s "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread($s, $head, 4096, length $head) or last;
    }

    my ($sid) = $head =~ /Set-Cookie: (sid=[^;\r]*)/;
    my ($name) = $head =~ /X-Backend: (\w+)/;

    my %seen = map { backend_of($sid) => 1 } 1 .. 6;
    is(join(' ', sort keys %seen), $name, "$who: with the header");

    close($s);
}


sub backend_of {
    my ($cookie) = @_;

    my $answer = raw($node->address('front'),
                     "HEAD / HTTP/1.1\r\nHost: a\r\nCookie: $cookie\r\n"
                     . "Connection: close\r\n\r\n");
    my ($name) = $answer =~ /X-Backend: (\w+)/;
    return $name // $answer;
}
