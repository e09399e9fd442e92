package Duplex::Directory;

# A temporary directory of a test, gone with it.
#
# It stands in the build directory if the workers' user can reach that, else
# in TMPDIR.  Kept when the test failed and DUPLEX_KEEP=1 is set.

use strict;
use warnings;

use Cwd qw/abs_path/;
use File::Basename qw/basename dirname/;
use File::Path qw/make_path remove_tree/;
use File::Temp ();
use Test::More ();

my $root = abs_path(dirname(__FILE__) . '/../../..');
my $owner = $$;
my ($top, $count);


sub root { return $root }


# a new directory that everybody may enter
sub make {
    my ($what) = @_;

    $top //= _make_top();

    my $dir = sprintf '%s/%s-%d', $top, $what, ++$count;
    mkdir $dir or die "mkdir $dir: $!\n";
    chmod 0755, $dir;

    return $dir;
}


sub _make_top {
    my $parent = "$root/build/t";

    eval { make_path($parent, { mode => 0755 }) };
    $parent = $ENV{TMPDIR} || '/tmp' if !_all_may_enter($parent);

    my $dir = File::Temp::tempdir(basename($0) . '.XXXXXX',
                                  DIR => $parent);
    chmod 0755, $dir;

    return $dir;
}


sub _all_may_enter {
    my ($dir) = @_;

    while (1) {
        my $mode = (stat $dir)[2];
        return 0 if !defined $mode || !($mode & 01);
        return 1 if $dir eq '/';
        $dir = dirname($dir);
    }
}


# runs after the END of those who use this module
END {
    if (defined $top && $$ == $owner) {
        my $failed = $? || !Test::More->builder->is_passing();

        if ($failed && $ENV{DUPLEX_KEEP}) {
            Test::More::diag("kept $top");

        } else {
            local $?;
            remove_tree($top);
        }
    }
}


1;
