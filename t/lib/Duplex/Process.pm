package Duplex::Process;

# A child process of a test: it never outlives the test, however that ends.
#
# The child leads a process group of its own, so that everything it forks can
# be killed with it; the kernel signals it when the test is killed -9; END
# and the handlers of INT, TERM and HUP stop what is still there otherwise.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;     # END: directories go after processes
use POSIX qw/:sys_wait_h/;
use Time::HiRes qw/sleep time/;

use constant {
    PR_SET_PDEATHSIG => 1,
    CLONE_NEWNET     => 0x40000000,
};

my %PRCTL = (x86_64 => 157, aarch64 => 167, i686 => 172, i386 => 172);
my %SETNS = (x86_64 => 308, aarch64 => 268);

my $owner = $$;
my %running;                # pid => object


# Runs "code" in a child, which ends with it.  "death" is the signal that it
# gets when the test dies; "netns" is the network namespace it lives in.
sub start {
    my ($class, %args) = @_;

    my $code = $args{code} or croak "no code";
    my $death = $args{death} || 'KILL';

    my $pid = fork();
    croak "fork() failed: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw/INT TERM HUP CHLD PIPE __DIE__/;
        setpgrp(0, 0);
        _die_with_parent($death);

        my $rc = eval { _enter($args{netns}); $code->(); 1 } ? 0 : 1;
        print STDERR "# child $args{name}: $@" if $rc;
        POSIX::_exit($rc);
    }

    # both sides set it: whoever comes first
    setpgrp($pid, $pid);

    my $self = bless { pid => $pid, name => $args{name} || 'child' }, $class;
    $running{$pid} = $self;

    return $self;
}


sub pid {
    my ($self) = @_;
    return $self->{pid};
}


sub is_running {
    my ($self) = @_;

    return 0 if defined $self->{status};

    my $rc = waitpid($self->{pid}, WNOHANG);
    return 1 if $rc == 0;

    $self->{status} = $rc > 0 ? $? : 0;
    delete $running{$self->{pid}};
    return 0;
}


# of waitpid(); undef as long as it runs
sub status {
    my ($self) = @_;
    $self->is_running();
    return $self->{status};
}


sub signal {
    my ($self, $signal) = @_;
    return kill($signal, $self->{pid});
}


# true if it ended within "limit" seconds
sub wait_end {
    my ($self, $limit) = @_;

    my $until = time() + $limit;

    while ($self->is_running()) {
        return 0 if time() > $until;
        sleep 0.005;
    }

    return 1;
}


# the child and all that it forked, at once
sub kill_group {
    my ($self) = @_;

    kill('KILL', -$self->{pid});
    $self->wait_end(5);
}


sub _enter {
    my ($netns) = @_;

    return if !defined $netns;

    my $number = $SETNS{(POSIX::uname())[4]} or die "no setns() here\n";

    open(my $f, '<', "/run/netns/$netns") or die "/run/netns/$netns: $!\n";
    syscall($number, fileno $f, CLONE_NEWNET) == 0 or die "setns(): $!\n";
}


sub _die_with_parent {
    my ($signal) = @_;

    my $machine = (POSIX::uname())[4];
    my $number = $PRCTL{$machine} or return;

    my %by_name = (KILL => 9, TERM => 15);

    syscall($number, PR_SET_PDEATHSIG, $by_name{$signal}, 0, 0, 0);
    POSIX::_exit(1) if getppid() != $owner;
}


sub kill_all {
    $_->kill_group() for values %running;
}


$SIG{$_} = sub { exit 130 } for qw/INT TERM HUP/;

END {
    if ($$ == $owner) {
        my $rc = $?;

        # nobody is left behind because somebody is impatient
        $SIG{$_} = 'IGNORE' for qw/INT TERM HUP PIPE/;

        kill_all();
        $? = $rc;
    }
}


1;
