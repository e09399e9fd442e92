package Duplex::Wait;

# Waiting for what should happen, with a limit.

use strict;
use warnings;

use Carp qw/croak/;
use Exporter qw/import/;
use Test::More ();
use Time::HiRes qw/sleep time/;

our @EXPORT = qw/wait_for happens/;

# under valgrind or a sanitizer all limits are longer
our $slow = $ENV{DUPLEX_SLOW} || 1;


# The first true value of "condition"; dies when "limit" seconds have passed,
# and says what was waited for and what was last seen.  A condition that dies
# is not true yet.
sub wait_for (&$$) {
    my ($condition, $limit, $what) = @_;

    my ($value, $last) = _poll($condition, $limit);
    return $value if $value;

    croak "waited $limit s in vain for: $what\n# last seen: $last\n";
}


# The same as a test of its own.
sub happens (&$$) {
    my ($condition, $limit, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($value, $last) = _poll($condition, $limit);

    Test::More::ok($value, $name)
        or Test::More::diag("not within $limit s; last seen: $last");

    return $value;
}


sub _poll {
    my ($condition, $limit) = @_;

    my $until = time() + $limit * $slow;
    my $last;

    while (1) {
        my $over = time() > $until;
        my $value = eval { $condition->() };

        return $value if $value;

        $last = $@ || (defined $value ? "\"$value\"" : 'undef');
        return (undef, $last) if $over;

        sleep 0.01;
    }
}


1;
