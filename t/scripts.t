#!/usr/bin/perl

# The scripts of lua-free-scripts do what their heads say, in dash and in
# busybox, and shellcheck has nothing against them.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Deploy;
use Duplex::Directory;
use Duplex::Process;
use Duplex::Test;


my $scripts = Duplex::Directory::root() . '/lua-free-scripts';
my $dir = Duplex::Directory::make('scripts');

my $r = run_command('shellcheck', '-x', '-P', $scripts . '/..', glob("$scripts/*.sh"));
is("$r->{code} $r->{out}", '0 ', 'shellcheck');

my $pair = Duplex::Deploy::pair();
my ($one, $two) = $pair->nodes();
my ($first, $second) = map { 'http://' . $_->address('api') . '/api' } $one, $two;
my ($b1, $b2, $b3, $b4) = map { $_->address() } $pair->backends();

our @shell;

for my $shell ([ 'dash' ], [ 'busybox', 'sh' ]) {
    local @shell = @$shell;

    drain();
    ready();
    check();
    track();
    notify();
    rolling();
    deploy();
    backup();
    differ();
    wrong();
}

done_testing();


sub drain {
    my $group = 'app_blue';

    is_deeply(script('drain-and-wait', "$first,$second", $group, $b1, 5),
              [ 0, "$b1 draining\n$b1 drained\n" ], "@shell: drains and waits");
    is($one->peer_state($group, $b1), 'draining', 'so says the API');

    is_deeply(script('drain-and-wait', "$first/", "http/$group", $b1, 'off'),
              [ 0, "$b1 up\n" ], 'takes it back');
    is($one->peer_state($group, $b1), 'up', 'so says the API');

    local $Duplex::Cli::environment{DRY_RUN} = 1;
    like(script('drain-and-wait', $first, $group, $b1)->[1],
         qr/would PATCH \S+\/servers\/0 \{"drain":true\}\n$b1 up\n/, 'or only says so');
    is($one->peer_state($group, $b1), 'up', 'and changes nothing');
}


sub ready {
    is(script('wait-ready', $first, 1)->[0], 0, 'wait-ready');
    my $said = script('wait-ready', 'http://127.0.0.1:1/api', 1);
    is($said->[0], 1, 'nobody there');
    like($said->[1], qr/^wait-ready.sh: not ready after 1s: curl: /, 'and why');
}


sub check {
    for my $what (qw/live ready peers/) {
        is(script('keepalived-check', $first, $what)->[0], 0, "keepalived-check $what");
    }

    is(script('keepalived-check', 'http://127.0.0.1:1/api', 'live')->[0], 3,
       'nobody there');
}


sub track {
    my $file = "$dir/health";

    my $process = Duplex::Process->start(name => 'track', code => sub {
        open(STDOUT, '>', '/dev/null');
        exec @shell, "$scripts/track-file.sh", $first, $file, '0.1' or die;
    });

    happens { read_file($file) =~ /^0 +\n$/ } 10, 'track-file: 0 when ready';
    $process->signal('TERM');
    $process->wait_end(5);
    like(read_file($file), qr/^-60 +\n$/, 'and -60 when nobody watches');
}


sub notify {
    is(script('keepalived-notify', $dir, 'INSTANCE', 'VI_1', 'MASTER', 150)->[0], 0,
       'keepalived-notify');
    like(read_file("$dir/vrrp-VI_1"), qr/^MASTER 150 \d+$/, 'writes it down');
    is(script('keepalived-notify', $dir, 'INSTANCE', '../x', 'MASTER', 150)->[0], 1,
       'a name is a name');
}


sub rolling {
    my $said = script('rolling-restart', "$first,$second", 'app_green',
                      "echo \$HOST \$PORT >> $dir/restarted", 10);

    is($said->[0], 0, 'rolling-restart') or diag($said->[1]);
    is(read_file("$dir/restarted"), join('', map { s/:/ /r . "\n" } $b3, $b4),
       'each of them once');
    unlink "$dir/restarted";

    $said = script('rolling-restart', $first, 'app_green', 'exit 1', 10);
    is($said->[0], 1, 'a command that fails ends it');
    is($one->peer_state('app_green', $b3), 'up', 'and the server is back');
}


sub deploy {
    my $said = script('blue-green', $first, 'app', 'green', '50,100', '200ms', 'healthy>=2');

    # a gate wants samples
    is($said->[0], 0, 'blue-green') or diag($said->[1]);
    like($said->[1], qr/app to green: done, step 2 of 2\n$/, 'to the end');

    is(script('blue-green', $second, 'app', 'rollback')->[0], 0, 'and back');
    happens { Duplex::Deploy::weights($_)->{blue} == 100 } 5, 'on ' . $_->name()
        for $one, $two;
    like(script('blue-green', $first, 'app', 'red')->[1],
         qr/^blue-green.sh: "to\\?" is not in the split|is not in the split/, 'refused');
}


sub backup {
    Duplex::Deploy::patch($one, 'splits/app', { weights => { green => 30 }, closed => [] });
    $one->patch_peer('app_blue', $b2, { drain => true });

    my $said = script('backup-state', $first, $dir);
    is($said->[0], 0, 'backup-state') or diag($said->[1]);
    (my $made = $said->[1]) =~ s/\n//;

    $one->patch_peer('app_blue', $b2, { drain => false });
    $one->patch_peer('app_blue', $b1, { down => true });
    Duplex::Deploy::patch($one, 'splits/app', { weights => { green => 0 } });

    $said = script('restore-state', $second, $made);
    is($said->[0], 0, 'restore-state') or diag($said->[1]);
    happens { $one->peer_state('app_blue', $b2) eq 'draining' } 5, 'drains again';
    happens { $one->peer_state('app_blue', $b1) eq 'up' } 5, 'is up again';
    happens { Duplex::Deploy::weights($one)->{green} == 30 } 5, 'weights are back';

    $one->patch_peer('app_blue', $b2, { drain => false });
    Duplex::Deploy::patch($one, 'splits/app', { weights => { green => 0 } });
    system('rm', '-rf', $made);
}


sub differ {
    happens { script('pair-diff', $first, $second)->[0] == 0 } 5, 'pair-diff: nothing';
    is(script('pair-diff', $first, 'http://127.0.0.1:1/api')->[0], 2, 'nobody there');
}


sub wrong {
    for my $name (qw/drain-and-wait wait-ready keepalived-check keepalived-notify
                     rolling-restart blue-green backup-state restore-state
                     pair-diff track-file/)
    {
        my $said = script($name);
        is($said->[0], 2, "$name without arguments");
        like($said->[1], qr/^usage: $name\.sh /, 'shows its usage');
    }

    like(script('drain-and-wait', $first, 'nowhere', $b1)->[1],
         qr/^drain-and-wait.sh: .*upstream/, 'no such group');
    like(script('drain-and-wait', "$first/none", 'app_blue', $b1)->[1],
         qr/^drain-and-wait.sh: /, 'not the API');
    is(script('restore-state', $first, '/')->[0], 1, 'not a backup');
}


# [ exit code, all that it said ]
sub script {
    my ($name, @args) = @_;

    my $run = run_command(@shell, "$scripts/$name.sh", @args);
    return [ $run->{code}, $run->{err} . $run->{out} ];
}


sub read_file {
    my ($file) = @_;
    open(my $f, '<', $file) or return '';
    local $/;
    return <$f> // '';
}
