#!/usr/bin/perl

# What the modules cost a proxied request: instructions of the worker in user
# space, against the same nginx without them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Bench;


my $backend = start_backend(address => '127.0.0.1');

my $conf = <<'EOC';
%%MAIN%%

events {
}

http {
    %%HTTP%%

    keepalive_requests 100000;

    upstream app {
        zone app 256k;
        server 127.0.0.1:%%be%%;
        %%upstream%%
        keepalive 32;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            %%location%%
        }
    }

    %%http%%
}
EOC

sub cost {
    my (%args) = @_;

    return instructions($conf, %args, vars => {
        be => $backend->port(), upstream => '', location => '', http => '',
        %{$args{vars} || {}} });
}

my $plain = cost(plain => 1);
my $reference = [ 'plain nginx', $plain ];

row(point => 'request: modules loaded, unused', figure => cost(),
    unit => 'instr', reference => $reference, goal => 1.001);

row(point => 'request: health_check',
    figure => cost(vars => { location => 'health_check interval=1h;' }),
    unit => 'instr', reference => $reference, goal => 1.002);

row(point => 'request: sticky route',
    figure => cost(vars => { upstream => 'sticky route $cookie_route;' },
        request => { headers => { Cookie => 'route=none' } }),
    unit => 'instr', reference => $reference, goal => 1.025);

row(point => 'request: sticky learn, no session',
    figure => cost(vars => { upstream => 'sticky learn zone=s:1m '
        . 'create=$upstream_cookie_sid lookup=$cookie_sid;' }),
    unit => 'instr', reference => $reference, goal => 1.06);

row(point => 'request: api',
    figure => cost(vars => { http => 'server { listen %%LISTEN_api%%;
        location /api { api; } }' }),
    unit => 'instr', reference => $reference, goal => 1.01);
