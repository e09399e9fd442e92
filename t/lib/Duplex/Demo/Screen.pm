package Duplex::Demo::Screen;

# What the demo shows: per step a headline, a progress line, evidence, a
# verdict; and a table of all steps at the end.
#
# The progress line is written over in place on a terminal; elsewhere it is
# printed about once a second.  Colours on a terminal only, and not with
# NO_COLOR.

use strict;
use warnings;

use Time::HiRes qw/time/;

use constant MARGIN => ' ' x 4;

my %COLOUR = (bold => 1, dim => 2, red => 31, green => 32, cyan => 36);


sub new {
    my ($class) = @_;

    STDOUT->autoflush(1);
    binmode(STDOUT);

    my $terminal = -t STDOUT && ($ENV{TERM} // 'dumb') ne 'dumb';

    return bless {
        terminal => $terminal,
        colour   => $terminal && !length($ENV{NO_COLOR} // ''),
        steps    => [],
        started  => time(),
    }, $class;
}


sub paint {
    my ($self, $colour, $text) = @_;
    return $self->{colour} ? "\e[$COLOUR{$colour}m$text\e[0m" : $text;
}


sub say {
    my ($self, @lines) = @_;
    $self->_wipe();
    print "$_\n" for @lines;
}


# a step begins
sub step {
    my ($self, $name) = @_;

    my $step = { name => $name, started => time() };
    push @{$self->{steps}}, $step;

    $self->say('', $self->paint('bold', @{$self->{steps}} . ". $name"));
}


# what is going on right now; on a terminal the next line replaces it
sub progress {
    my ($self, $text) = @_;

    my $now = time();
    my $line = MARGIN . $text;

    if ($self->{terminal}) {
        return if $now < ($self->{shown} // 0) + 0.04;
        $line = substr $line, 0, _columns() - 1;
        print "\r\e[K" . $self->paint('dim', $line);
        $self->{dirty} = 1;

    } else {
        return if $now < ($self->{shown} // $self->{steps}[-1]{started}) + 1;
        print "$line\n";
    }

    $self->{shown} = $now;
}


# a fact that was read from somewhere: from where, and what stands there
sub evidence {
    my ($self, $source, @lines) = @_;

    for my $line (@lines) {
        $self->say(MARGIN . $self->paint('cyan', sprintf '%-17s', $source)
                   . " $line");
        $source = '';
    }
}


# the step ends: what it has proved, in figures, and what is against it
sub verdict {
    my ($self, $figures, @failures) = @_;

    my $step = $self->{steps}[-1];

    $step->{figures} = $figures;
    $step->{failures} = \@failures;
    $step->{took} = time() - $step->{started};
    delete $self->{shown};

    $self->say(MARGIN . $self->paint('red', 'FAILED') . " $_") for @failures;
    $self->say(MARGIN . $self->paint('green', 'ok') . " $figures")
        if !@failures;
}


sub failed_steps {
    my ($self) = @_;
    return grep { !$_->{figures} || @{$_->{failures}} } @{$self->{steps}};
}


sub table {
    my ($self) = @_;

    my ($width) = sort { $b <=> $a } map { length $_->{name} }
                  @{$self->{steps}};
    my $n = 0;

    $self->say('', $self->paint('bold', sprintf '%2s  %-*s  %-6s  %7s  %s',
        '', $width, 'what was shown', 'result', 'time', 'figures'));

    for my $step (@{$self->{steps}}) {
        my $ok = defined $step->{figures} && !@{$step->{failures}};

        $self->say(sprintf '%2d  %-*s  %s  %5.1f s  %s', ++$n, $width,
            $step->{name},
            $self->paint($ok ? ('green', 'ok    ') : ('red', 'FAILED')),
            $step->{took} // time() - $step->{started},
            $step->{figures} // 'not finished');
    }

    my $failed = () = $self->failed_steps();

    $self->say('', sprintf '%d of %d steps ok, %.1f s',
               $n - $failed, $n, time() - $self->{started});
}


sub _wipe {
    my ($self) = @_;
    print "\r\e[K" if delete $self->{dirty};
}


sub _columns {
    my $size = "\0" x 8;

    # TIOCGWINSZ
    return 80 if !ioctl(STDOUT, 0x5413, $size);

    my (undef, $columns) = unpack 'S4', $size;
    return $columns || 80;
}


1;
