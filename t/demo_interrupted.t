#!/usr/bin/perl

# An interrupted demo leaves nothing behind: no process, no directory, and so
# no port; nor does one whose reader goes away.  Killed with -9 it leaves no
# process.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my $demo = Duplex::Directory::root() . '/tools/demo';

for my $signal (qw/INT PIPE KILL/) {
    pipe(my $out, my $in) or die "pipe() failed: $!\n";
    my $pid = fork() // die "fork() failed: $!\n";

    if ($pid == 0) {
        open(STDOUT, '>&', $in);
        $SIG{$_} = 'DEFAULT' for qw/INT TERM HUP/;
        delete $ENV{KEEP};
        exec $demo or POSIX::_exit(127);
    }

    close $in;

    # in the middle of the third step there are nodes, servers and clients

    while (my $line = <$out>) {
        last if $line =~ /^3\. /;
    }

    my @processes;
    wait_for { @processes = below($pid); @processes >= 12 } 10, 'all processes';

    my %directory = map { $_ => 1 } map { cmdline($_) =~ m{ -p (\S+)/\w+-\d+/ } }
                    @processes;
    is(scalar keys %directory, 1, "SIG$signal: it has a directory");

    $signal eq 'PIPE' ? close $out : kill($signal, $pid);
    wait_for { !Duplex::Node::is_alive($pid) } 10, 'the end of the demo';

    happens { !grep { Duplex::Node::is_alive($_) } @processes } 5,
        'its ' . @processes . ' processes are gone';

    my @left = grep { -e } keys %directory;

    if ($signal eq 'KILL') {
        File::Path::remove_tree(@left);

    } else {
        is("@left", '', 'so is its directory');
    }

    waitpid($pid, 0);
}

done_testing();


# all processes that descend from it
sub below {
    my ($pid) = @_;

    my @children = split ' ', read_file("/proc/$pid/task/$pid/children");
    return map { ($_, below($_)) } @children;
}


sub cmdline {
    my ($pid) = @_;
    return read_file("/proc/$pid/cmdline") =~ tr/\0/ /r;
}


sub read_file {
    my ($file) = @_;

    open(my $f, '<', $file) or return '';
    local $/;
    return <$f> // '';
}
