package Bench;

# What the benches use: processes, what they cost, and rows of the table.
#
# A figure means something only beside a reference of the same run: rows have
# both, and their ratio.

use strict;
use warnings;

use Carp qw/croak/;
use Cwd qw/abs_path/;
use Duplex::Directory;
use Duplex::Node;
use Duplex::Ports;
use Duplex::Process;
use Duplex::Wait;
use Exporter qw/import/;
use File::Basename qw/dirname/;
use IO::Handle;
use POSIX ();
use Time::HiRes qw/sleep time/;

our @EXPORT = qw/
    row note seconds start_backend program nginx haproxy
    cpu_us median private_kb wait_for sleep time instructions
/;

my $dir = dirname(dirname(abs_path(__FILE__)));
my $build = $ENV{BUILD} || dirname($dir) . '/build';
my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# how long a rate is measured
sub seconds { return $ENV{BENCH_SECONDS} || 10 }


# point => text, figure => number, unit => text, reference => [ name, number ],
# goal => largest ratio (or, with least => 1, the smallest)
sub row {
    my (%r) = @_;

    my ($name, $reference) = @{$r{reference}};
    my $ratio = $reference ? $r{figure} / $reference : 0;
    my $met = $r{least} ? $ratio >= $r{goal} : $ratio <= $r{goal};

    printf "%-44s %12s  %-26s %7.3f  %s%-6s %s\n", $r{point},
        _number($r{figure}) . " $r{unit}",
        "$name: " . _number($reference), $ratio,
        $r{least} ? '>= ' : '<= ', $r{goal}, $met ? '' : 'missed';

    STDOUT->flush();
}


# what there is no reference for
sub note {
    my ($point, $text) = @_;
    printf "%-44s %s\n", $point, $text;
    STDOUT->flush();
}


sub _number {
    my ($n) = @_;
    return sprintf($n >= 1000 ? '%.0f' : $n >= 100 ? '%.1f' : '%.2f', $n);
}


sub median {
    my @sorted = sort { $a <=> $b } @_;
    return $sorted[@sorted / 2];
}


# our own C programs, compiled when they are needed
sub program {
    my ($name) = @_;

    my ($from, $to) = ("$dir/$name.c", "$build/bench/$name");

    if (!-e $to || -M $from < -M $to) {
        mkdir "$build/bench";
        system('cc', '-O2', '-W', '-Wall', '-o', $to, $from) == 0
            or croak "cannot compile $from";
    }

    return $to;
}


# an object: address(), pid(), count() and kill(); on all addresses unless said
sub start_backend {
    my (%args) = @_;

    my $ip = $args{address} || '0.0.0.0';
    my $port = $args{port} || Duplex::Ports::take();
    my $binary = program('backend');

    pipe(my $in_read, my $in) or croak "pipe: $!";
    pipe(my $out, my $out_write) or croak "pipe: $!";

    my $process = Duplex::Process->start(name => 'backend', code => sub {
        _files();
        POSIX::dup2(fileno $in_read, 0);
        POSIX::dup2(fileno $out_write, 1);
        CORE::close($in);
        exec $binary, $ip, $port;
    });

    CORE::close($in_read);
    CORE::close($out_write);
    $in->autoflush(1);

    my $self = bless { in => $in, out => $out, port => $port,
                       process => $process }, 'Bench::Backend';
    $self->count();

    return $self;
}


# an nginx that runs, from "conf" with the placeholders of Duplex::Node
sub nginx {
    my ($conf, %args) = @_;

    _files();

    my $node = Duplex::Node->new(
        name => $args{name} || 'bench', conf => $conf,
        vars => { ($args{plain} ? (MAIN => plain()) : ()),
                  %{$args{vars} || {}} });

    return $node->start();
}


# as %%MAIN%%, but with nothing of ours
sub plain {
    open(my $f, '<', Duplex::Node::modules() . '/load.conf') or croak $!;
    my @stock = grep { !/_?duplex_/ } <$f>;

    return join('', @stock) . <<'EOC';
daemon off;
pid %%PREFIX%%/nginx.pid;
lock_file %%PREFIX%%/nginx.lock;
error_log %%PREFIX%%/error.log notice;
EOC
}


# HAProxy with "conf"; answers a Duplex::Process
sub haproxy {
    my ($conf) = @_;

    my $file = Duplex::Directory::make('haproxy') . '/haproxy.cfg';
    open(my $f, '>', $file) or croak "$file: $!";
    print $f $conf;
    CORE::close($f);

    my $process = Duplex::Process->start(name => 'haproxy', code => sub {
        _files();
        open(STDOUT, '>', '/dev/null');
        open(STDERR, '>', '/dev/null');
        exec 'haproxy', '-db', '-f', $file;
    });

    sleep 1;
    croak 'haproxy did not start' if !$process->is_running();

    return $process;
}


# as many descriptors as we may have
sub _files {
    my $limit = `sh -c 'ulimit -Hn'`;
    chomp $limit;
    system('prlimit', "--pid=$$", "--nofile=$limit:$limit");
}


# microseconds of CPU that these processes have used
sub cpu_us {
    my $sum = 0;

    for my $pid (@_) {
        open(my $f, '<', "/proc/$pid/schedstat") or croak "$pid is gone";
        my ($ns) = split / /, <$f>;
        $sum += $ns / 1000;
    }

    return $sum;
}


# of memory that is its own, and not shared with other processes
sub private_kb {
    my ($pid) = @_;
    open(my $f, '<', "/proc/$pid/status") or croak "$pid is gone";
    my $text = do { local $/; <$f> };
    return $text =~ /^RssAnon:\s+(\d+)/m ? $1 : croak 'no RssAnon';
}


# Instructions that one request costs the worker, in user space: callgrind
# counts two runs of equal length that differ in the number of requests, so
# that starting, ending and timers are not part of it.
sub instructions {
    my ($conf, %args) = @_;

    my @n = ($args{few} || 1000, $args{many} || 3000);
    my @count = map { _callgrind($conf, $_, %args) } @n;

    return ($count[1] - $count[0]) / ($n[1] - $n[0]);
}


sub _callgrind {
    my ($conf, $requests, %args) = @_;

    my $node = Duplex::Node->new(name => 'callgrind', conf => $conf,
        vars => { ($args{plain} ? (MAIN => plain()) : ()),
                  %{$args{vars} || {}} });

    my $out = $node->prefix() . '/temp/count';     # workers may write there
    my @command = ('valgrind', '--tool=callgrind', '--trace-children=yes',
        '-q', "--callgrind-out-file=$out.%p", Duplex::Node::binary(),
        '-p', $node->prefix() . '/', '-c', $node->prefix() . '/nginx.conf',
        '-e', $node->prefix() . '/error.log');

    my $process = Duplex::Process->start(name => 'valgrind', code => sub {
        open(STDOUT, '>', '/dev/null');
        open(STDERR, '>', '/dev/null');
        exec @command;
    });

    wait_for { $node->get($args{uri} || '/')->{status} } 60, 'nginx';

    my $end = time() + ($args{seconds} || 5);

    my $client = Duplex::Connection->new($node->address('front'),
                                         timeout => 60);

    for (1 .. $requests) {
        my $r = $client->get($args{uri} || '/', %{$args{request} || {}});
        croak "answer $r->{status}" if $r->{status} != 200;
    }

    $client->close();

    note('', 'too slow: timers are counted, too') if time() > $end;
    sleep 0.01 while time() < $end;

    $process->signal('QUIT');
    wait_for { !$process->is_running() } 60, 'the end of nginx';

    # the worker is the one that did most

    my @totals = sort { $b <=> $a } map {
        open(my $f, '<', $_) or croak "$_: $!";
        my $text = do { local $/; <$f> };
        $text =~ /^totals: (\d+)/m ? $1 : 0;
    } glob "$out.*";

    return $totals[0];
}


package Bench::Backend;

sub pid { return $_[0]{process}->pid() }
sub port { return $_[0]{port} }
sub signal { $_[0]{process}->signal($_[1]) }
sub kill9 { $_[0]{process}->kill_group() }


# requests; in list context connections, too
sub count {
    my ($self) = @_;

    my ($in, $out) = @$self{qw/in out/};
    print $in "\n";

    my ($requests, $connections) = split / /, scalar <$out>;

    return wantarray ? ($requests, $connections + 0) : $requests;
}


1;
