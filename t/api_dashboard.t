#!/usr/bin/perl

# The page for people is one file without anything from elsewhere, and a new
# word in each answer lets its own script run and no other.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $node = Duplex::Node->new(name => 'a', conf => <<'EOC');
%%MAIN%%

events {
}

http {
    %%HTTP%%

    server {
        listen %%LISTEN_api%%;

        location = / {
            duplex_dashboard;
        }

        location = /other {
            duplex_dashboard api=/private/api/;
        }

        location /api/ {
            api;
        }
    }
}
EOC

$node->start();

my $api = $node->address('api');
my $r = get($api, '/');

is($r->{status}, 200, 'the page');
is($r->{headers}{'content-type'}, 'text/html; charset=utf-8', 'its type');
is($r->{headers}{'cache-control'}, 'no-store', 'not for caches');
is($r->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff');
is($r->{headers}{'content-length'}, length $r->{body}, 'its length');

my ($nonce) = $r->{body} =~ /<script nonce="([0-9a-f]{32})">/;

ok($nonce, 'a random word');
is($r->{headers}{'content-security-policy'},
   "default-src 'none'; script-src 'nonce-$nonce'; style-src 'nonce-$nonce'; "
   . "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
   . "frame-ancestors 'none'", 'the policy');
isnt((get($api, '/')->{body} =~ /nonce="(\w+)"/)[0], $nonce,
     'another one the next time');

is(() = $r->{body} =~ /nonce="$nonce"/g, 2, 'style and script have it');
unlike($r->{body}, qr/\{\{/, 'all marks are filled in');
like($r->{body}, qr{data-api="/api/"}, 'where the API is');
like(get($api, '/other')->{body}, qr{data-api="/private/api/"},
     'where another one is');

unlike($r->{body}, qr/\b(?:src|href)\s*=\s*"(?!data:,")/, 'nothing is loaded');
unlike($r->{body}, qr{https?://(?!www\.w3\.org/2000/svg)}, 'from nowhere');
unlike($r->{body}, qr/\sstyle=|\son\w+="|innerHTML|document\.write|\beval\b/,
       'no style or script but the two');
like($r->{body}, qr/<html lang="en"/, 'a language');
like($r->{body}, qr/prefers-color-scheme: dark/, 'light and dark');

is(request($api, 'HEAD', '/')->{body}, '', 'HEAD');
is(request($api, 'POST', '/', body => 'x')->{status}, 405, 'POST');

done_testing();
