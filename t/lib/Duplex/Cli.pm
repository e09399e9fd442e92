package Duplex::Cli;

# Runs duplexctl as a user would, away from the user's own settings.
#
# CLI_VALGRIND=1 DUPLEX_SLOW=30 prove -v t/cli_x.t: under valgrind, where an
# error or a leak is exit code 99.  (TLS then takes longer than duplexctl's own
# timeouts: what fails with 3 for that is no error of its.)

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;
use Duplex::Node ();
use Exporter qw/import/;
use POSIX ();
use Time::HiRes qw/time/;

our @EXPORT = qw/duplexctl run_command/;

# of what is run, beside our own
our %environment;


sub binary {
    my $build = $ENV{BUILD} || 'build';
    $build = Duplex::Directory::root() . "/$build" if $build !~ m{^/};
    return "$build/duplexctl";
}


# { code, out, err, seconds }
sub duplexctl {
    return run_command(_valgrind(), binary(), @_);
}


sub _valgrind {
    return if !$ENV{CLI_VALGRIND};
    return qw/valgrind -q --error-exitcode=99 --leak-check=full/;
}


sub run_command {
    my (@command) = @_;

    my $directory = Duplex::Directory::make('cli');
    my $began = time();
    my $pid = fork() // croak "fork() failed: $!";

    if ($pid == 0) {
        delete @ENV{grep { /^(DUPLEXCTL_|XDG_|http)/ } keys %ENV};
        %ENV = (%ENV, HOME => $directory, %environment);
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>', "$directory/out");
        open(STDERR, '>', "$directory/err");
        exec @command or POSIX::_exit(127);
    }

    waitpid($pid, 0);

    return {
        code    => $? & 127 ? 128 + ($? & 127) : $? >> 8,
        seconds => time() - $began,
        out     => _read("$directory/out"),
        err     => _read("$directory/err"),
    };
}


sub _read {
    my ($file) = @_;
    open(my $f, '<', $file) or croak "$file: $!";
    local $/;
    return <$f> // '';
}


1;
