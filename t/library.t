#!/usr/bin/perl

# The tests' own library does what its comments say: nodes, backends, load.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my @backends = map {
    Duplex::Backend->new(name => "b$_", set => { sessions => 1 })
} 1 .. 2;

my ($b1, $b2) = @backends;

my $node = Duplex::Node->new(
    name => 'a',
    vars => { be1 => $b1->address(), be2 => $b2->address() },
    conf => <<'EOC',
%%MAIN%%
worker_processes 2;

events {
}

http {
    %%HTTP%%

    upstream app {
        server %%be1%% max_fails=0;
        server %%be2%% max_fails=0;
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://app;
            proxy_next_upstream off;
        }

        location /first {
            proxy_pass http://%%be1%%;
            proxy_read_timeout 300ms;
        }
    }
}
EOC
);

$node->start();

is(scalar(my @workers = $node->workers()), 2, 'both workers are up');

# answers and the backend's log

my $r = $node->get('/x?y=1', headers => { 'X-Test' => 'a b' });

is($r->{status}, 200, 'status');
like($r->{body}, qr/^b[12]$/, 'body');
like($r->{cookies}{sid}, qr/^$r->{headers}{'x-backend'}-/, 'session cookie');

my ($seen) = map { $_->requests(uri => qr{^/x}) } @backends;

is($seen->{uri}, '/x?y=1', 'logged uri');
is($seen->{headers}{'x-test'}, 'a b', 'logged header');
cmp_ok(abs($seen->{time} - time()), '<', 5, 'logged time');

# the switches of a backend

$b1->set(status => 503, body => 'sorry', headers => [ 'X-Why: tired' ]);

$r = $node->get('/first');
is("$r->{status} $r->{body} $r->{headers}{'x-why'}", '503 sorry tired',
   'status, body and headers are switched');

$b1->set_for('/first/health', status => 500);
is($node->get('/first/health')->{status}, 500, 'one uri is switched');
is($node->get('/first')->{status}, 503, 'the others are not');

for ([ hang => 504, hang => 1 ], [ reset => 502, reset => 1 ],
     [ 'closes at once' => 502, close => 'before' ],
     [ 'closes in the header' => 502, close => 'header' ])
{
    my ($what, $status, @set) = @$_;
    $b1->set(@set);
    is($node->get('/first')->{status}, $status, "$what: $status");
}

$b1->set(close => 'body', body => 'x' x 1000);
like(get($b1->address(), '/')->{error}, qr/closed in body/,
     'an incomplete answer is an error');

$b1->set(delay => 0.2);
my $start = time();
$node->get('/first');
cmp_ok(time() - $start, '>=', 0.2, 'delay');

$b1->refuse();
is($node->get('/first')->{status}, 502, 'refuses');
$b1->accept();

$b1->kill9();
is($node->get('/first')->{status}, 502, 'killed');
$b1->restart();

$b1->set(sessions => 1);
is($node->get('/first')->{status}, 200, 'is back on the same port');

# a backend that was late writes down when the request came

my $before = time();

$b1->freeze();
my $late = fork() // die;
if (!$late) {
    get($b1->address(), '/late');
    POSIX::_exit(0);
}
select(undef, undef, undef, 0.5);
$b1->thaw();
waitpid($late, 0);

my ($read) = $b1->requests(uri => qr{^/late});
cmp_ok($read->{time} - $before, '<', 0.3, 'it logs when the request came');

# a kept connection

my $c = Duplex::Connection->new($b1->address());
$c->get('/kept');
$c->get('/kept');

my %conn = map { $_->{conn} => 1 } $b1->requests(uri => qr{^/kept});
is(scalar keys %conn, 1, 'one connection, two requests');

# load over a reload

for my $keepalive (0, 1) {
    my $load = Duplex::Load->start(targets => [ $node->address('front') ],
                                   clients => 4, rate => 500,
                                   keepalive => $keepalive);

    wait_for { $load->report()->{ok} > 50 } 5, 'load';
    $node->reload(wait_old => 1);

    my $report = $load->stop();

    is($report->{failed}, 0, "keepalive $keepalive: nothing failed")
        or diag(Duplex::Load::summary($report));
    is($report->{ok}, $report->{sent}, 'all were answered');
    cmp_ok($report->{backends}{b1}, '>', 20, 'b1 had its share');
}

# failures are seen: a generator that finds none must be able to

$b1->set(reset => 1);

my $load = Duplex::Load->start(targets => [ $node->address('front') ]);
wait_for { $load->report()->{failed} > 5 } 5, 'failures';
my $report = $load->stop();

like($report->{errors}[0], qr/status 502/, 'failures have their reason');
$b1->set();

# sessions of plain round robin move, and that is noticed (those of two clients
# that take turns would not)

my $sessions = Duplex::Load->start(targets => [ $node->address('front') ],
                                   clients => 1, sessions => 1);
wait_for { $sessions->report()->{moved} > 5 } 5, 'moved sessions';
$sessions->stop();

# nginx -t

my ($ok, $text) = $node->test_config("%%MAIN%%\nevents { nonsense; }\n");
ok(!$ok, 'nginx -t refuses');
like($text, qr/unknown directive "nonsense"/, 'nginx -t says why');

# a refused reload

my $conf = $node->conf();
my @before = $node->workers();

$node->configure($conf . 'nonsense;');
like($node->try_reload(), qr/unexpected end of file|unknown directive/,
     'a refused reload is reported');
is("@{[ $node->workers() ]}", "@before", 'and changed nothing');

ok(scalar $node->bad_log(), 'emergencies are found in the log');
$node->expect_log(qr/nonsense|unexpected end of file/);
$node->configure($conf);

# what sanitizers say, to the log and to files of their own

for my $file ('error.log', 'temp/sanitizer.1') {
    for my $report ("$file:1:2: runtime error: shift exponent 46 is too large",
                    "==$file==ERROR: AddressSanitizer: heap-use-after-free")
    {
        append_file($node->prefix() . "/$file", "$report\n");
        is(join('', $node->bad_log()), $report, $report);
        $node->expect_log(qr/\Q$report/);
    }
}

# killed workers and nodes

$node->kill9_worker($before[0]);
wait_for { (grep { $_ ne $before[0] } $node->workers()) == 2 } 5,
    'another worker';
pass('a killed worker is replaced');

my @all = ($node->pid(), $node->workers());
$node->kill9();
ok(!(grep { Duplex::Node::is_alive($_) } @all), 'a killed node is gone');

$node->start();
is($node->get('/')->{status}, 200, 'and can be started again');

done_testing();


sub append_file {
    my ($file, $text) = @_;

    open(my $f, '>>', $file) or die "$file: $!";
    print $f $text;
    close $f;
}
