#!/usr/bin/perl

# Every test of a match block, and what the log says of an answer that fails
# it: what was expected, and what came.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $backend = Duplex::Backend->new(name => 'b1');

my $X = [ 'X-One: alpha', 'X-Many: a', 'X-Many: b', 'X-Empty:' ];
my $LONG = 'x' x 200_000 . 'END' . 'y' x 200_000 . 'AFTER';

# the tests, what the server does, what the log says
my @cases = (
    [ '', { status => 500 }, 'up: 500 ' ],
    [ 'status 200;', {}, 'up: 200 ' ],
    [ 'status 200 404;', { status => 404 }, 'up: 404 ' ],
    [ 'status 200;', { status => 204, body => '' },
      'status 204: expected "200" ' ],
    [ 'status 200-299 500;', { status => 302 },
      'status 302: expected "200-299 500" ' ],
    [ 'status ! 500;', { status => 500 }, 'status 500: expected "! 500" ' ],
    [ 'status ! 500;', { status => 404 }, 'up: 404 ' ],
    [ 'status !301-303 307;', { status => 302 },
      'status 302: expected "!301-303 307" ' ],

    [ 'header X-One;', { headers => $X }, 'up: 200 ' ],
    [ 'header x-one;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-Empty;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-Two;', { headers => $X },
      'header: expected "X-Two", there is none ' ],
    [ 'header ! X-Two;', { headers => $X }, 'up: 200 ' ],
    [ 'header ! X-One;', { headers => $X },
      'header: expected no "X-One", got "alpha" ' ],
    [ 'header X-One = alpha;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-One = beta;', { headers => $X },
      'header: expected "X-One = beta", got "alpha" ' ],
    [ 'header X-Two = beta;', { headers => $X },
      'header: expected "X-Two = beta", got none ' ],
    [ 'header X-One != beta;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-One != alpha;', { headers => $X },
      'header: expected "X-One != alpha", got "alpha" ' ],
    [ 'header X-Two != alpha;', { headers => $X },
      'header: expected "X-Two != alpha", got none ' ],
    [ 'header X-One ~ ^al;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-One ~ ^AL;', { headers => $X },
      'header: expected "X-One ~ ^AL", got "alpha" ' ],
    [ 'header X-One ~* ^AL;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-One !~ ^al;', { headers => $X },
      'header: expected "X-One !~ ^al", got "alpha" ' ],
    [ 'header X-One !~ ^x;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-Many = b;', { headers => $X }, 'up: 200 ' ],
    [ 'header X-Many != b;', { headers => $X },
      'header: expected "X-Many != b", got "b" ' ],
    [ 'header X-Many ~ c;', { headers => $X },
      'header: expected "X-Many ~ c", got "b" ' ],
    [ 'header X-One; header X-Two;', { headers => $X },
      'header: expected "X-Two", there is none ' ],

    [ 'body ~ "^ok$";', { body => 'ok' }, 'up: 200 ' ],
    [ 'body ~ ok;', { body => "no\nway" },
      'body: expected "~ ok", got 6 bytes: "no" ' ],
    [ 'body !~ "error";', { body => 'no error' },
      'body: expected "!~ error", got 8 bytes: "no error" ' ],
    [ 'body !~ "error";', { body => '' }, 'up: 200 ' ],
    [ 'body ~ xENDy;', { body => $LONG }, 'up: 200 ' ],
    [ 'body ~ AFTER;', { body => $LONG },
      'body: expected "~ AFTER", got 262144 bytes: "x+" ' ],

    [ 'require $upstream_http_x_one;', { headers => $X }, 'up: 200 ' ],
    [ 'require $upstream_http_x_one $upstream_http_x_two;',
      { headers => $X },
      'require: "$upstream_http_x_two" is empty or "0" ' ],
    [ 'require $good;', { status => 404 }, 'up: 404 ' ],
    [ 'require $good;', { status => 403 },
      'require: "$good" is empty or "0" ' ],
    [ 'status 200; header X-One = alpha; body ~ ok; require $good;',
      { body => 'ok', headers => $X }, 'up: 200 ' ],
    [ 'status 200; header X-One = alpha; body ~ ok; require $good;',
      { body => 'ok', headers => $X, status => 503 },
      'status 503: expected "200" ' ],
);

my ($upstreams, $locations, $matches) = ('', '', '');

for my $i (0 .. $#cases) {
    my ($tests, $does) = @{$cases[$i]};

    $backend->set_for("/c$i-", %$does);

    $upstreams .= "upstream c$i { zone c$i 64k; server %%be%%; }\n";
    $matches .= "match m$i { $tests }\n";
    $locations .= "location /c$i { proxy_pass http://c$i;
                   health_check interval=1h mandatory uri=/c$i- match=m$i; }\n";
}

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be => $backend->address() },
    conf => <<"EOC",
%%MAIN%%

events {
}

http {
    %%HTTP%%

    map \$upstream_status \$good {
        200      yes;
        404      1;
        default  0;
    }

    $upstreams

    server {
        listen %%LISTEN_front%%;
        $locations
    }

    $matches
}
EOC
);

$node->start();

for my $i (0 .. $#cases) {
    my ($tests, $does, $says) = @{$cases[$i]};

    $says = $says =~ /^up/ ? quotemeta($says) : "unhealthy: " . quotemeta($says);
    $says =~ s/x\\\+/x+/;

    like($node->wait_log(qr/in upstream "c$i" is now/),
         qr/is now $says\(1 of 1\)$/, $tests . ' <- ' . what($does));
}

done_testing();


sub what {
    my ($does) = @_;
    my $status = $does->{status} || 200;
    return $status . ($does->{headers} ? ', headers' : '')
           . (defined $does->{body} ? ', ' . length($does->{body}) . ' bytes'
                                    : '');
}
