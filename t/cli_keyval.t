#!/usr/bin/perl

# duplexctl lists, reads and changes key-values of http and stream, on both
# nodes, and says which zone or key there is none of.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Test;

no warnings 'qw';


my $pair = Duplex::Pair->new(backends => 0, conf => <<'EOC')->start();
%%MAIN%%
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    keyval $remote_addr $limit zone=limits;
    keyval_zone zone=limits:256k sync timeout=1h;
        server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }
}

stream {
    keyval $remote_addr $raw zone=raw;
    keyval_zone zone=raw:256k;

    server {
        listen %%LISTEN_sync%%;
        zone_sync;
        zone_sync_server 127.0.0.11:%%PORT_sync%%;
        zone_sync_server 127.0.0.12:%%PORT_sync%%;
    }
}
EOC

my ($one, $two) = map { $_->address('api') } $pair->nodes();

my $r = ctl($one, qw/list/);
is($r->{code}, 0, 'keyval list, of nothing') or diag($r->{err});

is(ctl($one, qw/set limits 10.0.0.7/, "slow \"and\" sure")->{code}, 0, 'keyval set');
happens { ctl($two, qw/get limits 10.0.0.7/)->{out} eq "slow \"and\" sure\n" } 10,
    'keyval get, on the other node';

is(ctl($one, qw/set limits 10.0.0.7 fast/)->{code}, 0, 'set once more');
is(ctl($one, qw/set limits key/, 'Ünïcode / ?&=%')->{code}, 0, 'any text');
is(ctl($one, qw/get limits key/)->{out}, "Ünïcode / ?&=%\n", 'comes back');
is(ctl($one, qw/set limits/, 'a b/c?d', 'x')->{code}, 0, 'any key');
is(ctl($one, qw/get limits/, 'a b/c?d')->{out}, "x\n", 'comes back');

like(ctl($one, qw/list limits/)->{out}, qr/^limits +10\.0\.0\.7 +fast$/m,
     'keyval list of a zone');
like(ctl($one, qw/list --json/)->{out}, qr/"10\.0\.0\.7": "fast"/, 'as JSON');

is(ctl($one, qw/delete limits 10.0.0.7/)->{code}, 0, 'keyval delete');
happens { ctl($two, qw/get limits 10.0.0.7/)->{code} == 1 } 10, 'on the other node';

is(ctl($two, qw/clear limits/)->{code}, 0, 'keyval clear');
happens { ctl($one, qw/list limits/)->{out} !~ /^limits/m } 10, 'on the other node';

# of stream

is(ctl($one, qw/set raw k v/)->{code}, 0, 'a zone of stream');
is(ctl($one, qw{get stream/raw k})->{out}, "v\n", 'with its protocol');
is(ctl($one, qw{get http/raw k})->{code}, 1, 'not with the other one');
like(ctl($one, qw/list/)->{out}, qr/^raw +k +v$/m, 'listed with those of http');

for (
    [ 1, qr/"none"/, qw/get none k/ ],
    [ 1, qr/"none"/, qw/list none/ ],
    [ 1, qr/"none"/, qw/clear none/ ],
    [ 1, qr/key not found/, qw/get limits nobody/ ],
    [ 64, qr/./, qw/get limits/ ],
    [ 64, qr/./, qw/set limits k/ ],
    [ 64, qr/./, qw/delete limits/ ],
) {
    my ($code, $text, @args) = @$_;

    $r = ctl($one, @args);
    is($r->{code}, $code, "exit code $code: @args");
    like($r->{err}, qr/^duplexctl: [^\n]*\n/, 'a line');
    like($r->{err}, $text, "that says why: $r->{err}");
}

done_testing();


sub ctl {
    my ($node, @args) = @_;
    return duplexctl('-n', $node, 'keyval', @args);
}
