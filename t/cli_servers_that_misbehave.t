#!/usr/bin/perl

# Whatever answers in a node's place, duplexctl says one clear line, ends with
# the right exit code, and does not wait beyond its timeout.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Directory;
use Duplex::Ports;
use Duplex::Process;
use Duplex::Test;
use IO::Socket::INET;


my $slow = $Duplex::Wait::slow;
my $dir = Duplex::Directory::make('tls');

for my $name (qw/good other/) {
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
           . " -addext subjectAltName=IP:127.0.0.1 -keyout $dir/$name.key"
           . " -out $dir/$name.crt >/dev/null 2>&1") == 0 or die "openssl";
}

my $node = Duplex::Node->new(vars => { dir => $dir }, conf => <<'EOC')->start();
%%MAIN%%

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.21:%%PORT_backend%%;
    }

    server {
        listen %%LISTEN_tls%% ssl;
        listen unix:%%PREFIX%%/api.sock;
        listen %%LISTEN_api%%;

        ssl_certificate     %%dir%%/good.crt;
        ssl_certificate_key %%dir%%/good.key;

        location /api/ {
            api;
        }

        location /guarded/ {
            api write=on;
            auth_basic "api";
            auth_basic_user_file %%PREFIX%%/users;
        }

        location /closed/ {
            api;
            deny all;
        }

        location /page {
            return 200 "<html>hello</html>";
        }

        location /moved {
            return 301 http://127.0.0.1:1/;
        }

        location /broken {
            return 503;
        }
    }
}
EOC

$node->write_file('users', "me:{PLAIN}secret\n");

my $api = $node->address('api');
my $tls = $node->address('tls');

for my $url ("http://$api/api", "http://$api/api/", $api,
             'unix:' . $node->prefix() . '/api.sock',
             'unix:' . $node->prefix() . '/api.sock:/api')
{
    is(duplexctl('-n', $url, 'status')->{code}, 0, "works: $url");
}

my $r = duplexctl('-n', "https://$tls/api", '--cacert', "$dir/good.crt", 'status');
is($r->{code}, 0, 'https with the right CA') or diag($r->{err});

$node->write_file('password', "me:secret\n");
chmod 0600, $node->prefix() . '/password';

$r = duplexctl('-n', "http://$api/guarded", '--user-file',
               $node->prefix() . '/password', 'status');
is($r->{code}, 0, 'basic authentication') or diag($r->{err});

chmod 0644, $node->prefix() . '/password';
$r = duplexctl('-n', "http://$api/guarded", '--user-file',
               $node->prefix() . '/password', 'status');
is($r->{code}, 64, 'but not with a file that all can read');
like($r->{err}, qr/can be read by others: chmod 600/, 'says why');

fails(3, qr/TLS: .*check --cacert/, "https://$tls/api", '--cacert', "$dir/other.crt");
fails(3, qr/TLS: .*check --cacert/, "https://$tls/api");
fails(3, qr/TLS: .*check --cacert/, "https://$tls/api", '--cacert', '/nowhere');
fails(3, qr/TLS: /, "https://$api/api");
fails(3, qr/wants a name and password: see --user-file/, "http://$api/guarded");
fails(3, qr/forbidden \(403\)/, "http://$api/closed");
fails(3, qr/not the API \(404\)/, "http://$api/nowhere");
fails(3, qr/answered 301/, "http://$api/moved");
fails(3, qr/answered 503/, "http://$api/broken");
fails(3, qr/something else than JSON|not the API/, "http://$api/page");
fails(3, qr/no connection: is nginx running there/, 'http://127.0.0.1:1/api');
fails(3, qr/no connection/, "unix:$dir/nowhere.sock");
fails(64, qr/invalid node "ftp:/, 'ftp://127.0.0.1/api');
fails(64, qr/invalid node "unix:/, 'unix:relative');

$r = duplexctl('-n', "http://$api/api", qw/peer drain app 0/);
is($r->{code}, 1, 'read-only');
like($r->{err}, qr/\(MethodDisabled\)$/m, 'in the words of the API');

my %garbage = (
    silence => sub { sleep 1 while 1 },
    'an end' => sub {},
    bytes => sub { $_[0]->print(join '', map { chr int rand 256 } 1 .. 4096) },
    headers => sub { $_[0]->print('X' x 1000) while 1 },
    'half a header' => sub { $_[0]->print("HTTP/1.1 200 OK\r\nContent"); sleep 60 },
    'half a body' => sub {
        $_[0]->print("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"");
    },
    'drop by drop' => sub {
        $_[0]->print("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[");
        while (1) { $_[0]->print(' ') or last; $_[0]->flush(); select undef, undef, undef, 0.05 }
    },
    'no JSON' => sub { $_[0]->print("HTTP/1.1 200 OK\r\n\r\n{\"a\":") },
    'an array' => sub { $_[0]->print("HTTP/1.1 200 OK\r\n\r\n[1,\"x\",null,[]]") },
    'a number' => sub { $_[0]->print("HTTP/1.1 200 OK\r\n\r\n12345") },
    'wrong types' => sub {
        $_[0]->print("HTTP/1.1 200 OK\r\n\r\n"
                     . '{"app":{"peers":{"x":1}},"name":[1],"peers":[1,{"server":{}}]}')
    },
    nesting => sub { $_[0]->print("HTTP/1.1 200 OK\r\n\r\n" . '[' x 100000) },
    'an escape' => sub {
        $_[0]->print("HTTP/1.1 400 Bad\r\n\r\n" . '{"error":{"text":"\u001b[31m","code":1}}')
    },
);

for my $what (sort keys %garbage) {
    my $server = serve($garbage{$what});

    for my $command ('status', 'peer list', 'node list', 'check ready') {
        $r = duplexctl('-n', "http://$server/api", '-t', '200ms', split ' ', $command);

        ok($r->{code} <= 3, "$what: $command: exit code $r->{code}");
        cmp_ok($r->{seconds}, '<', 0.7 * $slow, 'in time');
        unlike($r->{out} . $r->{err}, qr/\033/, 'no control characters');
    }
}

my $silent = serve($garbage{silence});

for my $question (qw/live ready peers/) {
    $r = duplexctl('-n', "http://$silent/api", 'check', $question);
    is($r->{code}, 3, "check $question: nobody answers");
    # and a busy machine needs a moment to start it
    cmp_ok($r->{seconds}, '<', 0.1 + 0.3 * $slow, 'within 300 ms');
}

$r = duplexctl('-n', "http://$api/api", 'check', 'ready');
is("$r->{code} $r->{out}", "0 ready: no nodes listed\n", 'check ready');

done_testing();


sub fails {
    my ($code, $text, $url, @args) = @_;

    $r = duplexctl('-n', $url, '-t', '2s', @args, qw/peer list/);
    is($r->{code}, $code, "exit code $code: $url");
    like($r->{err}, qr/^duplexctl: \Q$url\E: [^\n]*\n$|^duplexctl: invalid node/,
         'one line');
    like($r->{err}, $text, 'that says why');
}


# the address of a server that does this with every connection
sub serve {
    my ($what) = @_;

    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => Duplex::Ports::take(),
        Listen => 64, ReuseAddr => 1) or die "listen: $!";

    Duplex::Process->start(name => 'garbage', code => sub {
        $SIG{CHLD} = 'IGNORE';

        while (my $c = $listen->accept()) {
            my $pid = fork();
            next if $pid;

            local $SIG{ALRM} = 'DEFAULT';
            alarm 10;
            sysread($c, my $request, 4096);
            $c->autoflush(1);
            eval { $what->($c) };
            $c->close();
            POSIX::_exit(0);
        }
    });

    return '127.0.0.1:' . $listen->sockport();
}
