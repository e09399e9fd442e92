#!/usr/bin/perl

# What "sticky" refuses at nginx -t beyond a bad value, and what a reload may
# change.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $learn = 'sticky learn create=$upstream_cookie_sid lookup=$cookie_sid';

sub conf {
    my ($first, $second) = @_;

    return <<"EOC";
%%MAIN%%
worker_processes 1;

events {
}

http {
    %%HTTP%%

    upstream first {
        $first
        server %%a%%;
        server %%b%%;
    }

    upstream second {
        $second
        server %%a%%;
        server %%b%%;
    }

    server {
        listen %%LISTEN_front%%;
        location / { proxy_pass http://first; }
    }
}
EOC
}

my %b = map {
    $_ => Duplex::Backend->new(name => $_, set => { sessions => 1 })
} qw/a b/;

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => conf("$learn zone=s:64k;", "$learn zone=t:64k;"),
);

for (
    [ "sticky route \$arg_r; $learn zone=s:64k;", '',
      qr/"sticky" directive is duplicate/ ],
    [ "$learn zone=s:64k;", "$learn zone=s:64k;",
      qr/sticky zone "s" is already used in upstream "first"/ ],
    [ 'zone s 64k;', "$learn zone=s:64k;", qr/"s"/ ],
    [ "$learn zone=s:16k;", '', qr/zone is too small "s:16k"/ ],
    [ "$learn zone=s:many;", '', qr/invalid zone size "s:many"/ ],
    [ 'sticky cookie a; sticky cookie b;', '',
      qr/"sticky" directive is duplicate/ ],
)
{
    my ($first, $second, $message) = @$_;
    my ($ok, $text) = $node->test_config(conf($first, $second));

    ok(!$ok, "refused: $first $second");
    like($text, $message, 'and said why');
}

# sessions live on when the block changes around them

$node->start();

sub settle {
    my $c = Duplex::Connection->new($node->address('front'));
    my $r = $c->get('/', @_);
    $c->get('/', cookie => 'sid=unknown');
    return $r;
}

my $r = settle();
my $cookie = "sid=$r->{cookies}{sid}";
my $name = $r->{headers}{'x-backend'};

for my $conf ([ "least_conn; $learn zone=s:64k timeout=1h; keepalive 2;", '' ],
              [ "zone app 64k; $learn zone=s:64k header;", '' ],
              [ "$learn zone=s:256k;", '' ],
              [ "$learn zone=s:256k sync;", '' ])
{
    $node->configure(conf(@$conf));
    $node->reload(wait_old => 1);

    my $answers = join '', map {
        $node->get('/', cookie => $cookie)->{headers}{'x-backend'}
    } 1 .. 6;

    is($answers, $name x 6, "the session is there after: $conf->[0]");
}

done_testing();
