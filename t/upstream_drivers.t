#!/usr/bin/perl

# What the API says of a server counts in http and in stream alike: one table
# of cases, each with either protocol.
#
# Backends of stream speak HTTP, too, so both are asked the same way.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use IO::Socket::IP;


my $ipv6 = IO::Socket::IP->new(LocalHost => '::1', Listen => 1) ? 1 : 0;

# each is in front of b1, b2 and b3; the last one is not in stream

my @balanced = map {
    { name => $_->[0], lines => "$_->[1] server %%be1%%; server %%be2%%;
                                 server %%be3%%;" }
} (
    [ round_robin => '' ],
    [ least_conn => 'least_conn;' ],
    [ hash => 'hash $remote_port;' ],
    [ consistent => 'hash $remote_port consistent;' ],
    [ random => 'random;' ],
    [ random_two => 'random two;' ],
    [ ip_hash => 'ip_hash;' ],
);

my %http_only = (ip_hash => 1);

# "none" is a port where nobody listens

my @cases = (
    {
        name => 'single',
        lines => 'server %%be1%%;',
        run => sub {
            my ($g) = @_;

            used($g, 'b1');
            down($g, 0);
            used($g, 'nobody');
            up($g, 0);
            used($g, 'b1');
        },
    },
    {
        name => 'backup',
        lines => 'server %%be1%%; server %%be2%% backup;',
        run => sub {
            my ($g) = @_;

            used($g, 'b1');
            down($g, 0);
            used($g, 'b2');
            down($g, 1);
            used($g, 'nobody');
            up($g, 1);
            used($g, 'b2');
            up($g, 0);
            used($g, 'b1');
        },
    },
    {
        name => 'equal',
        lines => 'server %%be1%%; server %%be1%%; server %%be2%%;',
        run => sub {
            my ($g) = @_;

            down($g, 0);
            is(state_of($g, 1), 'up', "$g: the equal line is another server");
            used($g, 'b1 b2');
            down($g, 1);
            used($g, 'b2');
            up($g, 0);
            is(state_of($g, 1), 'down', "$g: and remains so");
            used($g, 'b1 b2');
        },
    },
    {
        name => 'equal_backup',
        lines => 'server %%be1%%; server %%be1%% backup; server %%be2%%;',
        run => sub {
            my ($g) = @_;

            down($g, 0);
            used($g, 'b2');
            down($g, 2);
            used($g, 'b1');
            down($g, 1);
            used($g, 'nobody');
        },
    },
    {
        name => 'tries',
        lines => 'server %%none%% max_fails=0; server %%none%% max_fails=0;
                  server %%be1%% max_fails=0 down;',
        run => sub {
            my ($g) = @_;

            is(state_of($g, 2), 'down', "$g: the file counts");
            used($g, 'nobody');
            up($g, 2);
            used($g, 'b1');                     # the third try is allowed
            down($g, 2);
            up($g, 2);
            up($g, 2);
            used($g, 'b1');
            down($g, 2);
            used($g, 'nobody');
        },
    },
    {
        name => 'forgiven',
        lines => 'server %%none%% max_fails=1 fail_timeout=1h;
                  server %%be1%%;',
        run => sub {
            my ($g) = @_;

            used($g, 'b1');
            is(state_of($g, 0), 'unavail', "$g: quarantined");
            down($g, 0);
            up($g, 0);
            is(state_of($g, 0), 'up', "$g: down and up ends the quarantine");
        },
    },
    {
        name => 'unix',
        lines => 'server unix:%%PREFIX%%/backend.sock; server %%be2%%;',
        run => sub {
            my ($g) = @_;

            used($g, 'b2 bu');
            down($g, 0);
            used($g, 'b2');
            up($g, 0);
            used($g, 'b2 bu');
        },
    },
    $ipv6 ? {
        name => 'ipv6',
        lines => 'server [::1]:%%PORT_b6%%; server %%be2%%;',
        run => sub {
            my ($g) = @_;

            used($g, 'b2 b6');
            down($g, 0);
            used($g, 'b2');
            up($g, 0);
            used($g, 'b2 b6');
        },
    } : (),
);

my $static = { name => 'static', zone => 0,
               lines => 'server %%be1%%; server %%be2%%;' };


my $conf = <<'EOC';
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

%%HTTP_GROUPS%%

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api write=on;
        }
    }

    server { listen %%be1%%; return 200 b1; }
    server { listen %%be2%%; return 200 b2; }
    server { listen %%be3%%; return 200 b3; }
    server { listen unix:%%PREFIX%%/backend.sock; return 200 bu; }
    %%IPV6%%
}

stream {
%%STREAM_GROUPS%%
}
EOC

my $node = Duplex::Node->new(
    vars => {
        be1 => '%%LISTEN_b1%%', be2 => '%%LISTEN_b2%%',
        be3 => '%%LISTEN_b3%%', none => '%%LISTEN_none%%',
        IPV6 => $ipv6 ? 'server { listen [::1]:%%PORT_b6%%; return 200 b6; }'
                      : '',
        HTTP_GROUPS => configuration('http'),
        STREAM_GROUPS => configuration('stream'),
    },
    conf => $conf,
);

$node->start();


# the balancers: out at once, still out after a reload, in again; the backends
# are of the same nginx, and connections to workers that leave break

my @groups = map {
    my $protocol = $_;
    map { "$protocol/$_->{name}" } grep { is_in($protocol, $_) } @balanced;
} qw/http stream/;

used($_, 'b1 b2 b3') for @groups;

for (@groups) {
    down($_, 0);
    used($_, 'b2 b3');
}

$node->reload(wait_old => 1);

for (@groups) {
    is(state_of($_, 0), 'down', "$_: is down after a reload");
    used($_, 'b2 b3');
    down($_, 1);
    down($_, 2);
    used($_, 'nobody');
    up($_, 1);
    used($_, 'b2');
    up($_, 0);
    up($_, 2);
    used($_, 'b1 b2 b3');
}


# the others

for my $case (@cases) {
    $case->{run}->("$_/$case->{name}") for qw/http stream/;
}


# groups without zone are used, and are not there for the API

for my $protocol (qw/http stream/) {
    my $g = "$protocol/static";

    used($g, 'b1 b2');

    my ($status, $data) = $node->api_get("/api/9/$protocol/upstreams");
    is_deeply([ sort keys %$data ],
              [ sort map { $_->{name} } grep { is_in($protocol, $_) }
                    @balanced, @cases ],
              "$protocol: all groups with a zone");

    ($status, $data) = $node->api_patch(path($g, 0), { down => true });
    is("$status $data->{error}{code}", '400 UpstreamStatic', "$g: PATCH");

    ($status, $data) = $node->api_get($node->upstream_path("$protocol/nix"));
    is("$status $data->{error}{code}", '404 UpstreamNotFound', 'no group');
}


# the same name is another group in the other protocol

my $mark = $node->mark();

down('stream/single', 0);
is(state_of('http/single', 0), 'up', 'down in stream only');
$node->wait_log(qr/peer "\S+" in stream upstream "single" is now down: /,
                5, $mark);


# stream has neither routes nor draining

my %server = (id => 0, server => $node->address('b1'), weight => 1,
              max_conns => 0, max_fails => 1, fail_timeout => '10s',
              slow_start => '0s', backup => false, down => false);

is_deeply(($node->api_get(path('stream/round_robin', 0)))[1], \%server,
          'a server of stream');
is_deeply(($node->api_get(path('http/round_robin', 0)))[1],
          { %server, route => '' }, 'a server of http');

for my $change ({ drain => true }, { drain => false }, { route => '' }) {
    my ($name) = %$change;

    my ($status, $data) = $node->api_patch(path('stream/round_robin', 0),
                                           $change);
    is("$status $data->{error}{code}: $data->{error}{text}",
       "400 UpstreamConfFormatError: unknown parameter \"$name\"",
       "stream: $name");
}

is_deeply(($node->api_patch(path('stream/round_robin', 0),
                            { %server, down => true }))[1],
          { %server, down => true }, 'all members, as clients send them');


# what is not there

is_deeply([ sort @{($node->api_get('/api/9/stream'))[1]} ],
          [ qw/keyvals limit_conns server_zones upstreams zone_sync/ ],
          'the branches of stream');

$node->configure($conf =~ s/^stream \{.*//msr);
$node->reload(wait_old => 1);

wait_for { code('/api/9/stream/upstreams') eq '404 PathNotFound' } 10,
    'no upstreams of stream without stream{}';
is(code('/api/9/stream'), '404 PathNotFound', 'nor anything else');

done_testing();


sub code {
    my ($path) = @_;

    my ($status, $data) = $node->api_get($path);
    return "$status " . (ref $data eq 'HASH' && $data->{error}{code} || '');
}


sub is_in {
    my ($protocol, $group) = @_;
    return $protocol eq 'http' || !$http_only{$group->{name}};
}


sub configuration {
    my ($protocol) = @_;

    return join "\n", map {
        my $front = "listen %%LISTEN_${protocol}_$_->{name}%%;";
        my $zone = "zone ${protocol}_$_->{name} 128k;\n";

        "upstream $_->{name} {\n"
        . ($_->{zone} // 1 ? $zone : '') . "$_->{lines}\n}\n"
        . ($protocol eq 'http'
           ? "server { $front location / { proxy_pass http://$_->{name}; } }"
           : "server { $front proxy_pass $_->{name}; }")
    } grep { is_in($protocol, $_) } @balanced, @cases, $static;
}


# Exactly these answer, and no request fails; "nobody": every one fails.
# The clients are of many networks, for ip_hash.
sub used {
    my ($group, $who) = @_;

    my $listen = $group =~ s{/}{_}r;
    my %used;

    # a name that is missing may just not have been drawn yet

    for my $n (1 .. 400) {
        my $from = '127.0.' . $n % 250 . '.1';
        my $answer = eval {
            get($node->address($listen), '/', from => $from);
        };

        my $ok = $answer && $answer->{status} == 200;
        $used{$ok ? $answer->{body} : 'nobody'}++;

        last if $n >= 24 && join(' ', sort keys %used) eq $who;
        last if $n >= 24 && keys %used > split(/ /, $who);
    }

    is(join(' ', sort keys %used), $who, "$group: $who used");
}


sub down { patch(@_, true) }
sub up { patch(@_, false) }


sub patch {
    my ($group, $id, $down) = @_;

    my ($status, $answer) = $node->api_patch(path($group, $id),
                                             { down => $down });

    is("$status " . ($answer->{down} // '-'), "200 $down",
       "$group: server $id " . ($down ? 'down' : 'up'));
}


sub path {
    my ($group, $id) = @_;
    return $node->upstream_path($group) . "/servers/$id";
}


sub state_of {
    my ($group, $id) = @_;

    my ($status, $data) = $node->api_get($node->upstream_path($group));
    return $data->{peers}[$id]{state};
}
