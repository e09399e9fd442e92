#!/usr/bin/perl

# Probes through grpc_pass, fastcgi_pass, uwsgi_pass, scgi_pass and
# memcached_pass, with servers that answer well, badly and in another language.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;

use Duplex::Raw;


# what came, for the tests of what a probe says
my $dir = Duplex::Directory::make('said');

sub said {
    my ($name) = @_;
    open(my $f, '<', "$dir/$name") or return '';
    local $/;
    return <$f> // '';
}

sub hear {
    my ($name, $c, $until) = @_;

    my $text = '';

    while ($text !~ $until) {
        sysread($c, $text, 65536, length $text) or last;
    }

    open(my $f, '>', "$dir/$name.new") or die;
    print $f $text;
    close($f);
    rename("$dir/$name.new", "$dir/$name");

    return $text;
}

sub http {
    my ($c) = @_;
    sysread($c, my $request, 65536);
    print $c "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
}

# HTTP/2

sub frame {
    my ($type, $flags, $stream, $data) = @_;
    return substr(pack('N', length $data), 1) . pack('CCN', $type, $flags,
                                                    $stream) . $data;
}

sub literal {
    my ($name, $value) = @_;
    return pack('C C/a C/a', 0, $name, $value);
}

sub grpc {
    my ($name, $message, $status, @more) = @_;

    return $name => sub {
        my ($c) = @_;

        # the request ends with its message, which ends with the service

        hear($name, $c, qr/\x00\x00\x00\x00.(?:\x0a.+)?\z/s);

        my $answer = frame(4, 0, 0, '') . frame(4, 1, 0, '');
        my $trailers = literal('grpc-status', $status)
                       . join('', map { literal(@$_) } @more);

        if (defined $message) {
            my $body = pack('C N/a', 0, $message);

            $answer .= frame(1, 4, 1, "\x88"
                             . literal('content-type', 'application/grpc'))
                       . frame(0, 0, 1, $body)
                       . frame(1, 5, 1, $trailers);

        } else {
            $answer .= frame(1, 5, 1, "\x88"
                             . literal('content-type', 'application/grpc')
                             . $trailers);
        }

        syswrite($c, $answer);

        my $rest;
        1 while sysread($c, $rest, 65536);
    };
}

# FastCGI

sub fcgi {
    my ($name, $text) = @_;

    return sub {
        my ($c) = @_;
        hear($name, $c, qr/\x01\x05\x00\x01\x00\x00\x00\x00\z/s);

        syswrite($c, pack('CCnnCC', 1, 6, 1, length $text, 0, 0) . $text
                     . pack('CCnnCC', 1, 3, 1, 8, 0, 0) . "\0" x 8);
    };
}

sub cgi {
    my ($name, $until, $text) = @_;

    return sub {
        my ($c) = @_;
        hear($name, $c, $until);
        syswrite($c, $text);
    };
}

my $GRPC = 'grpc_pass %s; health_check interval=1h mandatory type=grpc';

# name, location, server, what the log says
my @cases = (
    [ grpc_ok => "$GRPC;", grpc('grpc_ok', "\x08\x01", 0), 'up: 200 ' ],
    [ grpc_service => "$GRPC grpc_service=a.B;",
      grpc('grpc_service', "\x08\x01", 0), 'up: 200 ' ],
    [ grpc_not => "$GRPC;", grpc('grpc_not', "\x08\x02", 0),
      'unhealthy: grpc: NOT_SERVING ' ],
    [ grpc_unknown => "$GRPC;", grpc('grpc_unknown', "\x08\x03", 0),
      'unhealthy: grpc: SERVICE_UNKNOWN ' ],
    [ grpc_empty => "$GRPC;", grpc('grpc_empty', '', 0),
      'unhealthy: grpc: UNKNOWN ' ],
    [ grpc_other => "$GRPC;",
      grpc('grpc_other', "\x12\x03abc\x08\x01", 0), 'up: 200 ' ],
    [ grpc_broken => "$GRPC;", grpc('grpc_broken', "\x12\x7fabc", 0),
      'unhealthy: grpc: no valid message ' ],
    [ grpc_12 => "$GRPC;",
      grpc('grpc_12', undef, 12, [ 'grpc-message', 'what' ]),
      'unhealthy: grpc: grpc-status 12 UNIMPLEMENTED: what ' ],
    [ grpc_12_ok => "$GRPC grpc_status=12;", grpc('grpc_12_ok', undef, 12),
      'up: 200 ' ],
    [ grpc_name_ok => "$GRPC grpc_status=UNIMPLEMENTED;",
      grpc('grpc_name_ok', undef, 12), 'up: 200 ' ],
    [ grpc_14 => "$GRPC grpc_status=12;", grpc('grpc_14', undef, 14),
      'unhealthy: grpc: grpc-status 14 UNAVAILABLE ' ],
    [ grpc_late => "$GRPC;", grpc('grpc_late', "\x08\x01", 99),
      'unhealthy: grpc: grpc-status 99 ' ],
    [ grpc_http => "$GRPC;", grpc_http => \&http, 'unhealthy: protocol: ' ],
    [ grpc_closed => "$GRPC;", grpc_closed => sub { },
      'unhealthy: closed: ' ],
    [ grpc_refused => "$GRPC;", undef, 'unhealthy: connect: ' ],

    [ fcgi_ok => 'fastcgi_pass %s; fastcgi_param URI $request_uri;',
      fcgi_ok => fcgi('fcgi', "Status: 200 OK\r\n\r\nok"), 'up: 200 ' ],
    [ fcgi_500 => 'fastcgi_pass %s;',
      fcgi_500 => fcgi('x', "Status: 500 No\r\n\r\nok"), 'unhealthy: status 500 ' ],
    [ fcgi_http => 'fastcgi_pass %s;', fcgi_http => \&http,
      'unhealthy: protocol: ' ],
    [ fcgi_closed => 'fastcgi_pass %s;', fcgi_closed => sub { },
      'unhealthy: closed: ' ],
    [ fcgi_refused => 'fastcgi_pass %s;', undef, 'unhealthy: connect: ' ],

    [ uwsgi_ok => 'uwsgi_pass %s; uwsgi_param URI $request_uri;',
      uwsgi_ok => cgi('uwsgi', qr{/health}, "HTTP/1.1 200 OK\r\n\r\nok"),
      'up: 200 ' ],
    [ uwsgi_503 => 'uwsgi_pass %s;',
      uwsgi_503 => cgi('x', qr/./s, "Status: 503 No\r\n\r\nok"),
      'unhealthy: status 503 ' ],
    [ uwsgi_closed => 'uwsgi_pass %s;', uwsgi_closed => sub { },
      'unhealthy: closed: ' ],
    [ uwsgi_refused => 'uwsgi_pass %s;', undef, 'unhealthy: connect: ' ],

    [ scgi_ok => 'scgi_pass %s; scgi_param URI $request_uri;',
      scgi_ok => cgi('scgi', qr{/health}, "Status: 200 OK\r\n\r\nok"),
      'up: 200 ' ],
    [ scgi_404 => 'scgi_pass %s;',
      scgi_404 => cgi('x', qr/./s, "Status: 404 No\r\n\r\nok"),
      'unhealthy: status 404 ' ],
    [ scgi_refused => 'scgi_pass %s;', undef, 'unhealthy: connect: ' ],

    [ memc_ok => 'set $memcached_key x; memcached_pass %s;',
      memc_ok => cgi('memc', qr/\r\n/, "VALUE /health 0 2\r\nok\r\nEND\r\n"),
      'up: 200 ' ],
    [ memc_none => 'set $memcached_key x; memcached_pass %s;',
      memc_none => cgi('x', qr/\r\n/, "END\r\n"), 'unhealthy: status 404 ' ],
    [ memc_error => 'set $memcached_key x; memcached_pass %s;',
      memc_error => cgi('x', qr/\r\n/, "ERROR\r\n"), 'unhealthy: header: ' ],
    [ memc_refused => 'set $memcached_key x; memcached_pass %s;', undef,
      'unhealthy: connect: ' ],
);

my ($upstreams, $locations) = ('', '');
my %vars;

# the pair that grpc() and the like make stands between the location and what
# is said

for my $case (@cases) {
    my ($name, $location, @rest) = @$case;
    my $says = pop @rest;
    my $server = pop @rest;

    $vars{$name} = $server ? Duplex::Raw::tcp($name, $server)
                           : Duplex::Raw::nobody();

    $location .= ' health_check interval=1h mandatory uri=/health;'
        if $location !~ /health_check/;

    $upstreams .= "upstream $name { zone $name 64k; server %%$name%%; }\n";
    $locations .= "location /$name { " . sprintf($location, $name) . " }\n";

    @$case = ($name, $says);
}

my $node = Duplex::Node->new(
    name => 'a',
    vars => \%vars,
    conf => <<"EOC",
%%MAIN%%

events {
}

http {
    %%HTTP%%

    $upstreams

    server {
        listen %%LISTEN_front%%;
        $locations
    }
}
EOC
);

$node->start();

for my $case (@cases) {
    my ($name, $says) = @$case;

    like($node->wait_log(qr/in upstream "$name" is now/),
         qr/is now \Q$says\E/, $name);
}

# what the probes said

like(said('grpc_ok'), qr/\x00\x00\x00\x00\x00\z/, 'gRPC: all services');
like(said('grpc_service'), qr/\x00\x00\x00\x00\x05\x0a\x03a\.B\z/,
     'gRPC: a service');
like(said('fcgi'), qr{/health}, 'FastCGI: the URI');
like(said('memc'), qr{^get /health\r\n}, 'memcached: the URI is the key');

done_testing();
