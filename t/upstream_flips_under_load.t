#!/usr/bin/perl

# Servers go down, drain and come back, configurations are loaded again and
# a worker is killed, all under load: no request fails, none goes to a server
# that is down, and only the sessions that must move do so.
#
# Alone on the machine, as it measures time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my %b = map {
    $_ => Duplex::Backend->new(name => $_, set => { sessions => 1 })
} qw/a b c/;

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<'EOC',
%%MAIN%%
worker_processes 3;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 128k;
        server %%a%%;
        server %%b%%;
        server %%c%%;
        sticky learn create=$upstream_cookie_sid lookup=$cookie_sid
               zone=sessions:1m header;
        keepalive 8;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}
EOC
);

$node->start();

my $load = Duplex::Load->start(targets => [ $node->address('front') ],
                               clients => 24, rate => 600, sessions => 1,
                               retry => 1);


sub patch {
    my ($id, %what) = @_;

    my ($status) = api_patch($node->address('api'),
        "/api/9/http/upstreams/app/servers/$id",
        { map { $_ => $what{$_} ? true : false } keys %what });

    is($status, 200, "PATCH $id") if $status != 200;
}

sub more {
    my ($n) = @_;
    my $sent = $load->report()->{ok};
    wait_for { $load->report()->{ok} > $sent + $n } 10, "$n requests more";
}

sub clean {
    my ($what) = @_;

    my $report = $load->report();
    is($report->{failed}, 0, "$what: no request failed")
        or diag(Duplex::Load::summary($report));
    return $report->{moved};
}


more(200);
is(clean('at first'), 0, 'no session moves by itself');

# draining and coming back

for my $id (0 .. 2, 0 .. 2) {
    patch($id, drain => 1);
    more(30);
    patch($id, drain => 0);
}

is(clean('draining'), 0, 'draining moves no session');

# configurations

patch(0, drain => 1);

for (1 .. 4) {
    $node->reload();
    more(50);
}

patch(0, drain => 0);
is(clean('reloads'), 0, 'a reload moves no session');

# a worker dies; what it was answering is sent again by the client

$node->kill9_worker(($node->workers())[0]);
more(200);
is(clean('a killed worker'), 0, 'a killed worker moves no session');

# down: no request arrives from the answer of the API on but those on their
# way, and each session moves once

my $before = keys %{$load->report()->{sessions}};

patch(1, down => 1);
$node->reload(wait_old => 1);
my $since = time();
more(300);

is($b{b}->count(since => $since), 0, 'nothing goes to a server that is down');

my $moved = clean('down');
cmp_ok($moved, '>', 0, 'its sessions have moved');
cmp_ok($moved, '<=', $before, 'each of them once');

patch(1, down => 0);
more(300);
is(clean('up again'), $moved, 'and stay where they are');

my $report = $load->stop();
diag(Duplex::Load::summary($report)) if $report->{failed};

# nothing is held for ever

happens {
    my ($status, $all) = api_get($node->address('api'),
                                 '/api/9/http/upstreams/app');
    !grep { $_->{active} } @{$all->{peers}};
} 5, 'no connection is counted any more';

done_testing();
