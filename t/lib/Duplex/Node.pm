package Duplex::Node;

# One nginx in a temporary prefix of its own: the installed binary, unchanged,
# with the modules of build/modules.
#
# The whole configuration stands in the test.  What differs from run to run
# is written as a placeholder:
#
#     %%MAIN%%          load_module, pid, error_log, and the like
#     %%HTTP%%          access_log and temporary paths, for http{}
#     %%NAME%%          the node's name
#     %%ADDRESS%%       its address, 127.0.0.1 unless said otherwise
#     %%PREFIX%%        its directory
#     %%PORT_api%%      a free port of that name
#     %%LISTEN_api%%    %%ADDRESS%%:%%PORT_api%%
#     %%be1%%           whatever new() was given as vars => { be1 => ... }
#
# A node that a test leaves running is stopped by done_testing() and its log
# checked; when the test dies, the log's end is shown and nginx is killed.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Client ();
use Duplex::Directory;
use Duplex::Ports;
use Duplex::Process;
use Duplex::Wait;
use JSON::PP ();
use POSIX ();
use Test::More ();

# the ends of the logs, if the process fails
our $show_logs = 1;

my $owner = $$;
my @nodes;

my $REPORT = qr/Sanitizer|runtime error:/;
my $BAD = qr/\[(?:alert|emerg|crit)\]|exited on signal|$REPORT/;


sub new {
    my ($class, %args) = @_;

    my $self = bless {
        name    => $args{name} || 'node' . (@nodes + 1),
        ip      => $args{address} || '127.0.0.1',
        ports   => $args{ports} || Duplex::Ports->new(),
        vars    => $args{vars} || {},
        level   => $args{log_level} || 'notice',
        access  => $args{access_log} || 'access_log off;',
        prefix  => Duplex::Directory::make($args{name} || 'node'),
        netns   => $args{netns},
        addresses => $args{addresses} || {},
        expect  => [],
        checked => 0,
    }, $class;

    mkdir "$self->{prefix}/temp";
    mkdir "$self->{prefix}/state";
    chmod 01777, "$self->{prefix}/temp", "$self->{prefix}/state";

    $self->configure($args{conf});
    push @nodes, $self;

    return $self;
}


sub name { return $_[0]{name} }
sub prefix { return $_[0]{prefix} }
sub port { return $_[0]{ports}->port($_[1]) }

# of the listener called "api", "front", ...; may be "unix:/path"
sub address {
    my ($self, $listen) = @_;
    return $self->{addresses}{$listen} || "$self->{ip}:" . $self->port($listen);
}


# writes another configuration, to be tested or loaded; placeholders given
# here replace those of new()
sub configure {
    my ($self, $conf, %vars) = @_;

    croak "no configuration" if !defined $conf;

    $self->{conf} = $conf;
    $self->{vars} = { %{$self->{vars}}, %vars };
    $self->write_file('nginx.conf', $self->expand($conf));
}


# the configuration as the test wrote it, placeholders and all
sub conf { return $_[0]{conf} }


sub write_file {
    my ($self, $name, $text) = @_;

    open(my $f, '>', "$self->{prefix}/$name") or croak "$name: $!";
    print $f $text;
    CORE::close($f) or croak "$name: $!";
}


sub expand {
    my ($self, $text) = @_;

    # what a placeholder stands for may contain others
    1 while $text =~ s/%%(\w+)%%/$self->_value($1)/ge;
    return $text;
}


sub _value {
    my ($self, $name) = @_;

    return $self->{vars}{$name} if exists $self->{vars}{$name};

    return $self->{name} if $name eq 'NAME';
    return $self->{ip} if $name eq 'ADDRESS';
    return $self->{prefix} if $name eq 'PREFIX';
    return $self->port($1) if $name =~ /^PORT_(\w+)$/;
    return $self->address($1) if $name =~ /^LISTEN_(\w+)$/;
    return $self->_main() if $name eq 'MAIN';
    return $self->_http() if $name eq 'HTTP';

    croak "unknown placeholder %%$name%%";
}


sub _main {
    my ($self) = @_;

    my $dir = $self->{prefix};

    # a child of the test that does not detach dies with it, in any case
    return 'include ' . modules() . "/load.conf;\n"
         . "daemon off;\n"
         . "pid $dir/nginx.pid;\n"
         . "lock_file $dir/nginx.lock;\n"
         . "error_log $dir/error.log $self->{level};\n";
}


sub _http {
    my ($self) = @_;

    my $dir = $self->{prefix};

    return "$self->{access}\n" . join '', map {
        "${_}_temp_path $dir/temp/$_;\n"
    } qw/client_body proxy fastcgi uwsgi scgi/;
}


sub modules { return _build() . '/modules' }


# the runtime that the modules need, if they were built with a sanitizer: it
# makes no use of freed memory for long, so what a process has says nothing
sub sanitizer {
    my ($asan) = _read(modules() . '/ngx_duplex_core_module.so')
                 =~ /\0(libasan\.so\.\d+)\0/;
    return $asan;
}


sub _build {
    my $build = $ENV{BUILD} || 'build';
    return $build =~ m{^/} ? $build : Duplex::Directory::root() . "/$build";
}


# the one that the modules were built for
sub binary {
    my ($file) = _read(_build() . '/scratch/nginx') =~ /^(\S+)$/m;
    return $ENV{DUPLEX_NGINX} || $file || '/usr/sbin/nginx';
}


# The environment of an nginx.  It has a use of its own for NGINX: sockets
# from the binary before it; ours is make's.  Modules that were built with a
# sanitizer need its runtime before all else; workers write reports, too, and
# may do so in "temp" only.
sub _prepare_environment {
    my ($self) = @_;

    delete $ENV{NGINX};

    my $asan = sanitizer() or return;
    my $report = "log_path=$self->{prefix}/temp/sanitizer";

    $ENV{LD_PRELOAD} = $asan;
    $ENV{ASAN_OPTIONS} = "$report:detect_odr_violation=0:detect_leaks=0";
    $ENV{UBSAN_OPTIONS} = "$report:print_stacktrace=1";
}


sub _command {
    my ($self) = @_;
    my $dir = $self->{prefix};
    return (binary(), '-p', "$dir/", '-c', "$dir/nginx.conf",
            '-e', "$dir/error.log");
}


# (true if nginx -t accepts the configuration, all that it said)
sub test_config {
    my ($self, $conf) = @_;

    # beside the one that runs, with the same log
    my @command = $self->_command();

    if (defined $conf) {
        $self->write_file('test.conf', $self->expand($conf));
        s{/nginx\.conf$}{/test.conf} for @command;
    }

    my $pid = open(my $out, '-|') // croak "fork() failed: $!";

    if ($pid == 0) {
        $self->_prepare_environment();
        open(STDERR, '>&', \*STDOUT);
        exec @command, '-t' or POSIX::_exit(127);
    }

    my $text = do { local $/; <$out> };
    CORE::close($out);
    my $ok = $? == 0;

    # what it wrote to the log was meant for us
    push @{$self->{tests}}, $text;

    return ($ok, $text);
}


# returns when all workers are ready to serve
sub start {
    my ($self) = @_;

    $self->launch();

    my $ready = eval {
        wait_for {
            die "it ended\n" if !$self->is_running();
            $self->workers() == $self->_wanted_workers();
        } 10, "the workers of node \"$self->{name}\"";
    };

    if (!$ready) {
        $self->_show_log();
        croak "node \"$self->{name}\" did not start: $@";
    }

    return $self;
}


# returns at once, for those who want to see how it starts
sub launch {
    my ($self) = @_;

    croak "node \"$self->{name}\" runs already" if $self->is_running();

    $self->{started} = $self->mark();

    my @command = $self->_command();

    $self->{process} = Duplex::Process->start(
        name => "nginx $self->{name}",
        netns => $self->{netns},
        death => 'TERM',
        code => sub {
            $self->_prepare_environment();
            chdir $self->{prefix};
            open(STDIN, '<', '/dev/null');
            open(STDOUT, '>>', "$self->{prefix}/stderr.log");
            open(STDERR, '>&', \*STDOUT);
            exec @command or die "exec $command[0]: $!\n";
        },
    );
}


sub is_running {
    my ($self) = @_;
    return $self->{process} && $self->{process}->is_running();
}


# pid of the master
sub pid {
    my ($self) = @_;
    return $self->{process} && $self->{process}->pid();
}


# pids of the workers that serve: neither being born nor shutting down
sub workers {
    my ($self) = @_;
    return $self->_children_called(qr/^nginx: worker process\0*$/);
}


sub leaving_workers {
    my ($self) = @_;
    return $self->_children_called(qr/^nginx: worker process is shutting/);
}


sub _children_called {
    my ($self, $title) = @_;

    my $pid = $self->pid() or return;

    return grep { _read("/proc/$_/cmdline") =~ $title }
           split ' ', _read("/proc/$pid/task/$pid/children");
}


sub _wanted_workers {
    my ($self) = @_;

    my ($n) = $self->{conf} =~ /^\s*worker_processes\s+(\w+);/m;
    $n = 1 if !defined $n;

    if ($n eq 'auto') {
        $n = () = _read('/proc/cpuinfo') =~ /^processor\s*:/mg;
    }

    return $n;
}


# QUIT (default: what is under way is finished) or TERM
sub stop {
    my ($self, $signal) = @_;

    return if !$self->is_running();

    $self->{process}->signal($signal || 'QUIT');

    if (!$self->{process}->wait_end(10 * $Duplex::Wait::slow)) {
        $self->_show_log();
        $self->{process}->kill_group();
        croak "node \"$self->{name}\" did not stop in 10 s";
    }

    $self->{process}->kill_group();
    return 1;
}


# master and workers, at one instant
sub kill9 {
    my ($self) = @_;

    my $group = $self->pid();

    $self->{process}->kill_group();

    # also the one that was being born, and threads that outlive the first
    wait_for {
        !grep {
            my ($pid, $state, $its) = _read($_) =~ /^(\d+) \(.*\) (\S) \d+ (\d+) /s;
            defined $its && $its == $group
                && ($state !~ /[ZX]/ || (() = glob "/proc/$pid/task/*") > 1)
        } glob '/proc/[0-9]*/stat'
    } 5, 'the killed to be gone';
}


sub kill9_worker {
    my ($self, $pid) = @_;

    $self->expect_log(qr/worker process $pid exited on signal 9/);
    kill('KILL', $pid);
}


# Loads the configuration again, and returns when the new workers are ready;
# dies if nginx refuses it.  With wait_old => 1 the old workers are gone, too.
sub reload {
    my ($self, %args) = @_;

    my $error = $self->try_reload(%args);

    if ($error) {
        $self->_show_log();
        croak "node \"$self->{name}\" did not reload: $error";
    }
}


# '', or what nginx said against the configuration
sub try_reload {
    my ($self, %args) = @_;

    my %old = map { $_ => 1 } $self->workers(), $self->leaving_workers();
    my $mark = $self->mark();
    my $error = '';

    $self->{process}->signal('HUP');

    wait_for {
        # nginx tries a busy address five times
        my $log = $self->log($mark);
        $log =~ s/.*\[emerg\] .*bind\(\) to .*\n//g;

        if ($log =~ /(\[emerg\].*)/) {
            $error = $1;
            return 1;
        }

        (grep { !$old{$_} } $self->workers()) == $self->_wanted_workers();
    } 15, "reload of node \"$self->{name}\"";

    if ($args{wait_old} && !$error) {
        wait_for { !grep { is_alive($_) } keys %old }
            30, "the old workers of node \"$self->{name}\" to leave";
    }

    return $error;
}


# a place in the error log, for log() and others
sub mark {
    my ($self) = @_;
    return -s "$self->{prefix}/error.log" || 0;
}


# the error log, from a mark on
sub log {
    my ($self, $mark) = @_;

    open(my $f, '<', "$self->{prefix}/error.log") or return '';
    seek($f, $mark || 0, 0);

    local $/;
    return <$f> // '';
}


# the lines that match
sub grep_log {
    my ($self, $regex, $mark) = @_;
    return grep { $_ =~ $regex } split /\n/, $self->log($mark);
}


# the first line that matches; dies when there is none in "limit" seconds
sub wait_log {
    my ($self, $regex, $limit, $mark) = @_;

    my @found;

    wait_for { @found = $self->grep_log($regex, $mark); scalar @found }
        $limit || 5, "\"$regex\" in the log of \"$self->{name}\"";

    return $found[0];
}


# lines that the check at the end must not complain about
sub expect_log {
    my ($self, $regex) = @_;
    push @{$self->{expect}}, $regex;
}


# the lines that should not be in the log of a healthy node
sub bad_log {
    my ($self) = @_;

    my $said = join '', @{$self->{tests} || []};
    my $text = join "\n", $self->log(), _read("$self->{prefix}/stderr.log"),
                    $self->_reports(), grep { $_ =~ $REPORT } split /\n/, $said;
    my %seen;

    return grep {
        my $line = $_;

        $line =~ $BAD
            && !(grep { $line =~ $_ } @{$self->{expect}})
            && !$seen{$line}++
            && !_was_said($said, $line)
    } split /\n/, $text;
}


# nginx -t writes "[emerg] 1#1: text" to the log, "nginx: [emerg] text" to us
sub _was_said {
    my ($said, $line) = @_;

    my ($text) = $line =~ /\[\w+\] \d+#\d+: (.*)/;
    return defined $text && index($said, $text) >= 0;
}


# a test of its own: called by done_testing() for every node
sub check_log {
    my ($self) = @_;

    my @bad = $self->bad_log();

    Test::More::ok(!@bad, "node \"$self->{name}\" logged nothing alarming")
        or Test::More::diag(join "\n", @bad[0 .. ($#bad < 9 ? $#bad : 9)]);

    for my $report (@bad ? $self->_reports() : ()) {
        my @lines = split /\n/, $report;
        Test::More::diag(join "\n", @lines[0 .. ($#lines < 39 ? $#lines : 39)]);
    }
}


# what a sanitizer wrote to files, each
sub _reports {
    my ($self) = @_;
    return map { _read($_) } glob "$self->{prefix}/temp/sanitizer.*";
}


sub _show_log {
    my ($self) = @_;

    return if !$show_logs;

    my @lines = split /\n/, $self->log($self->{started})
                            . _read("$self->{prefix}/stderr.log");
    splice @lines, 0, @lines - 30 if @lines > 30;

    Test::More::diag("---- the end of the log of \"$self->{name}\":");
    Test::More::diag($_) for @lines;
}


# HTTP, to the listener called "front" or "api"

sub get {
    my ($self, $uri, %args) = @_;
    return Duplex::Client::get($self->address($args{listen} || 'front'),
                               $uri, %args);
}


sub api_get {
    my ($self, $path) = @_;
    return Duplex::Client::api_get($self->address('api'), $path);
}


sub api_patch {
    my ($self, $path, $data) = @_;
    return Duplex::Client::api_patch($self->address('api'), $path, $data);
}


# an upstream's path in the API: "app" and "http/app" are of http, and
# "stream/app" is of stream
sub upstream_path {
    my ($self, $upstream) = @_;

    my ($protocol, $name) = $upstream =~ m{^(?:(\w+)/)?(.+)};
    return '/api/9/' . ($protocol || 'http') . "/upstreams/$name";
}


# server => its peer's object in the API
sub peers {
    my ($self, $upstream) = @_;

    my ($status, $data) = $self->api_get($self->upstream_path($upstream));
    croak "upstream \"$upstream\": $status" if $status != 200;

    return { map { $_->{server} => $_ } @{$data->{peers}} };
}


# of the server at "address": "up", "down", "unhealthy", ...
sub peer_state {
    my ($self, $upstream, $address) = @_;
    return $self->peers($upstream)->{$address}{state};
}


# PATCH of the server at "address"
sub patch_peer {
    my ($self, $upstream, $address, $data) = @_;

    my $id = $self->peers($upstream)->{$address}{id};

    my ($status, $answer) = $self->api_patch(
        $self->upstream_path($upstream) . "/servers/$id", $data);

    croak "PATCH: $status " . JSON::PP->new->allow_nonref->encode($answer)
        if $status != 200;

    return $answer;
}


# stops all nodes of this test and checks their logs
sub finish_all {
    for my $node (@nodes) {
        eval { $node->stop(); 1 } or Test::More::fail("stop: $@");
        $node->check_log();
    }
}


sub _read {
    my ($file) = @_;

    open(my $f, '<', $file) or return '';
    local $/;
    return <$f> // '';
}


# a zombie is dead: not every machine has an init that takes it away
sub is_alive {
    my ($pid) = @_;
    return _read("/proc/$pid/stat") =~ /^\d+ \(.*\) [^ZX] /s;
}


END {
    if ($$ == $owner && ($? || !Test::More->builder->is_passing())) {
        $_->_show_log() for grep { $_->{process} } @nodes;
    }
}


1;
