#!/usr/bin/perl

# Pages of other sites cannot make a browser change anything, and a writing
# API that is open to the world is warned about.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $conf = <<'EOC';
%%MAIN%%

events {
}

http {
    %%HTTP%%

    keyval_zone zone=pairs:256k;

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC

my $node = Duplex::Node->new(name => 'a', conf => $conf);

$node->start();

my $api = $node->address('api');
my $path = '/api/9/http/keyvals/pairs';

is(change(), 204, 'a program');
is(change(Origin => "http://$api"), 204, 'a page of the same site');
is(change(Origin => "https://$api"), 204, 'behind a proxy with TLS');
is(change(Origin => $_), 403, "a page of $_") for
    'http://evil.example', 'null', "http://$api.evil.example",
    "http://evil.example/$api", 'http://127.0.0.1', "ftp://$api", '';
is(change('Sec-Fetch-Site' => 'cross-site'), 403, 'Sec-Fetch-Site');
is(change('Sec-Fetch-Site' => 'same-origin', Origin => "http://$api"), 204,
   'the same site');

my $r = request($api, 'DELETE', $path, headers => { Origin => 'http://x' });

is(JSON::PP::decode_json($r->{body})->{error}{code}, 'CrossOrigin',
   'the code');

$r = request($api, 'GET', $path, headers => { Origin => 'http://x' });

is($r->{status}, 200, 'reading is not changed');
ok(!grep({ /^access-control/ } keys %{$r->{headers}}),
   'but no other site may see it');

# open to the world

my $warning = qr/\[warn\] .*"api write=on" in location "\/api\/" lets anybody/;

for my $try ([ 'api write=on;', 1 ], [ 'api;', 0 ],
             [ 'api write=on; allow 10.0.0.0/8; deny all;', 0 ],
             [ 'api write=on; limit_except GET { deny all; }', 0 ],
             [ 'api write=on; auth_basic x;', 0 ],
             [ 'api write=on; internal;', 0 ])
{
    my ($text, $warned) = @$try;

    (my $open = $conf) =~ s/%%LISTEN_api%%/%%PORT_open%%/;
    $open =~ s/api write=on;/$text/;

    my ($ok, $log) = $node->test_config($open);

    ok($ok, "accepted: $text") or diag($log);
    is($log =~ $warning ? 1 : 0, $warned, "warned about: $warned");
}

my ($ok, $log) = $node->test_config($conf);
unlike($log, $warning, 'a loopback address is not open');

done_testing();


sub change {
    return request($api, 'DELETE', $path, headers => { @_ })->{status};
}
