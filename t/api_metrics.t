#!/usr/bin/perl

# duplex_metrics speaks Prometheus's text format, and its figures are those of
# the API; prometheus-nginx-exporter finds what it asks for in NGINX Plus.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Process;


my $crowd = join "\n", map { "        server 127.1.$_.1:80;" } 1 .. 250;

my $node = Duplex::Node->new(name => 'a', vars => { CROWD => $crowd }, conf => <<'EOC');
%%MAIN%%
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.1:%%PORT_back%%;
        server 127.0.0.2:%%PORT_none%% down;
    }

    upstream crowd {
        zone crowd 1m;
%%CROWD%%
    }

    server {
        listen %%LISTEN_back%%;
        status_zone back;
        return 200 "0123456789";
    }

    server {
        listen %%LISTEN_front%%;
        location / {
            proxy_pass http://app;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location /api {
            api;
        }

        location = /metrics {
            duplex_metrics;
        }
    }
}

stream {
    upstream sql {
        zone sql 256k;
        server 127.0.0.1:%%PORT_back%%;
    }

    server {
        listen %%LISTEN_stream%%;
        proxy_pass sql;
    }
}
EOC

$node->start();

my $api = $node->address('api');
my $back = '127.0.0.1:' . $node->port('back');

get($node->address('front'), '/') for 1 .. 5;

my $r = get($api, '/metrics');

is($r->{status}, 200, 'metrics');
is($r->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8',
   'their type');
is(request($api, 'HEAD', '/metrics')->{body}, '', 'HEAD');
is(request($api, 'POST', '/metrics', body => 'x')->{status}, 405, 'POST');

# each family is announced, once, and whole

my (%type, %help, %samples, $family);

for my $line (split /\n/, $r->{body}) {
    if ($line =~ /^# HELP (\S+) \S.*\.$/) {
        fail("$1 twice") if $help{$1}++;
        $family = $1;

    } elsif ($line =~ /^# TYPE (\S+) (counter|gauge|histogram)$/) {
        is($1, $family, "the type of $1");
        $type{$1} = $2;

    } elsif ($line =~ /^(\w+)(\{[^\n]*\})? (-?[\d.]+)$/) {
        my ($name, $labels, $value) = ($1, $2 // '', $3);

        (my $base = $name) =~ s/_(bucket|sum|count)$//
            if $type{$family} eq 'histogram';
        fail("$line is not of $family") if ($base // $name) ne $family;
        fail("$line twice") if exists $samples{"$name$labels"};
        $samples{"$name$labels"} = $value;

    } else {
        fail("no metric: $line");
    }
}

for my $name (sort keys %type) {
    is($name =~ /_total$/ ? 1 : 0, $type{$name} eq 'counter' ? 1 : 0,
       "$name: _total is a counter");
}

# many are written while they are sent: a piece, then others' turn

is($r->{headers}{'transfer-encoding'}, 'chunked', 'in pieces');
is((grep { /server_up\{.*upstream="crowd"/ } keys %samples), 250, 'all of them');
is((grep { /_bucket\{.*upstream="crowd"/ } keys %samples), 250 * 15,
   'to the last family');
like(raw($api, "GET /metrics HTTP/1.0\r\n\r\n"), qr/\n\r\n.*"} 0\n\z/s,
     'also for HTTP/1.0');

my $labels = qq(protocol="http",upstream="app",server="$back",id="0");

is($samples{"nginx_duplex_server_requests_total{$labels}"}, 5, 'requests');
is($samples{"nginx_duplex_server_up{$labels}"}, 1, 'up');
is($samples{"nginx_duplex_server_state{$labels,state=\"down\"}"}, 0, 'state');
is($samples{"nginx_duplex_server_responses_total{$labels,code=\"2xx\"}"}, 5,
   'responses');
is($samples{"nginx_duplex_server_response_seconds_bucket{$labels,le=\"+Inf\"}"},
   5, 'histogram');
is($samples{"nginx_duplex_server_response_seconds_count{$labels}"}, 5,
   'its count');
is($samples{'nginx_duplex_ready'}, 1, 'ready');
is((grep { /server_up.*protocol="stream",upstream="sql"/ } keys %samples), 1,
   'stream');

SKIP: {
    skip 'no promtool', 1 if system('which promtool > /dev/null 2>&1') != 0;

    open(my $promtool, '|-', 'promtool check metrics') or die "promtool: $!";
    print $promtool $r->{body};

    ok(close $promtool, 'promtool has nothing to say');
}

SKIP: {
    skip 'no prometheus-nginx-exporter', 2
        if system('which prometheus-nginx-exporter > /dev/null 2>&1') != 0;

    my $listen = '127.0.0.1:' . $node->port('exporter');

    my $exporter = Duplex::Process->start(name => 'exporter', code => sub {
        open STDOUT, '>', $node->prefix() . '/exporter.log';
        open STDERR, '>&', \*STDOUT;
        exec 'prometheus-nginx-exporter', '-nginx.plus',
             "-nginx.scrape-uri=http://$api/api",
             "-web.listen-address=$listen";
    });

    my $text = '';

    happens {
        $text = get($listen, '/metrics')->{body} // '';
        $text =~ /^nginxplus_up 1$/m;
    } 10, 'the exporter for NGINX Plus is content';

    like($text, qr/^nginxplus_upstream_server_requests\{server="\Q$back\E",upstream="app"\} 5$/m,
         'and shows requests of upstreams');

    $exporter->kill_group();
}

done_testing();
