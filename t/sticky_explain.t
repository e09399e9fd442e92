#!/usr/bin/perl

# The API says where a request would go, and why; the request then goes there.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my @backends = map { Duplex::Backend->new(name => "b$_",
                                         set => { sessions => 1 }) } 1, 2;

my $node = Duplex::Node->new(name => 'a', vars => {
    b1 => $backends[0]->address(), b2 => $backends[1]->address(),
}, conf => <<'EOC');
%%MAIN%%
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream learn {
        zone learn 256k;
        server %%b1%%;
        server %%b2%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
                     zone=sessions:1m timeout=1h;
    }

    upstream route {
        zone route 256k;
        server %%b1%% route=one;
        server %%b2%% route=two;
        sticky route $cookie_route;
    }

    upstream plain {
        zone plain 256k;
        server %%b1%%;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://learn;
        }

        location /route {
            proxy_pass http://route;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}
EOC

$node->start();

my $api = $node->address('api');
my ($b1, $b2) = map { $_->address() } @backends;

# a session

is_deeply(pick('learn', 'x'), [ 'miss', undef, $b1, $b2 ], 'no session yet');

my $r = get($node->address('front'), '/');
my ($sid) = ($r->{headers}{'set-cookie'} || '') =~ /sid=([^;]+)/;
my $bound = $r->{headers}{'x-backend'} eq 'b1' ? 0 : 1;
my @address = ($b1, $b2);

is_deeply(pick('learn', $sid), [ 'hit', $address[$bound] ], 'a session');

my $left = where('learn', $sid)->{expires_in};

ok($left > 3000000 && $left <= 3601000, 'its time');

set('learn', $bound, { drain => true });
is_deeply(pick('learn', $sid), [ 'hit', $address[$bound] ],
          'of a draining server');
is(get($node->address('front'), '/', cookie => "sid=$sid")
   ->{headers}{'x-backend'}, $bound ? 'b2' : 'b1', 'it is so');

set('learn', $bound, { down => true });
is_deeply(pick('learn', $sid),
          [ 'rebound', $address[$bound], $address[1 - $bound] ],
          'of one that is down');
like(where('learn', $sid)->{why}, qr/takes no request/, 'why');
is(where('learn', $sid)->{state}, 'down', 'its state');
is_deeply(pick('learn'), [ 'new', undef, $address[1 - $bound] ],
          'a new client');

is(get($node->address('front'), '/', cookie => "sid=$sid")
   ->{headers}{'x-backend'}, $bound ? 'b1' : 'b2', 'it goes to the other');
is_deeply(pick('learn', $sid), [ 'hit', $address[1 - $bound] ],
          'and stays there');

# a route

is_deeply(pick('route', 'two'), [ 'hit', $b2 ], 'a route');
is_deeply(pick('route', 'three'), [ 'miss', undef, $b1, $b2 ], 'an unknown one');

# errors

for my $try ([ '', 400, 'ExplainArguments' ],
             [ 'upstream=none', 404, 'UpstreamNotFound' ],
             [ 'upstream=learn&protocol=stream', 404, 'UpstreamNotFound' ],
             [ 'upstream=plain&value=x', 400, 'UpstreamNotSticky' ])
{
    my ($args, $status, $code) = @$try;
    my ($got, $data) = api_get($api, "/api/duplex/explain/request?$args");

    is_deeply([ $got, $data->{error}{code} ], [ $status, $code ], $code);
}

is_deeply((api_get($api, '/api/duplex/sticky'))[1]{'http:route'}{hit}, 0,
          'nothing was counted');

done_testing();


sub where {
    my ($group, $value) = @_;

    return (api_get($api, "/api/duplex/explain/request?upstream=$group"
                    . (defined $value ? "&value=$value" : '')))[1];
}


sub pick {
    my $data = where(@_);

    return [ $data->{status}, $data->{status} eq 'hit'
                || defined $data->{server} ? $data->{server} : undef,
             @{$data->{candidates} || []} ];
}


sub set {
    my ($group, $id, $change) = @_;

    is((api_patch($api, "/api/9/http/upstreams/$group/servers/$id",
                  $change))[0], 200, 'changed');
}
