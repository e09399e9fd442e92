package Duplex::Demo::Tour;

# What leads through the demo: runs the steps of Duplex::Demo::Steps one after
# the other and shows what each proved; and what several of them do.
#
# A step is a method that does one thing to the pair, shows what it has read
# from logs, answers and the API, and returns its figures in one line, then
# what speaks against them, a line each.  It dies if it cannot go on.

use strict;
use warnings;

use Duplex::Demo::Screen;
use Duplex::Demo::Sessions;
use Duplex::Demo::Stage;
use Duplex::Pair;
use Duplex::Wait;
use Exporter qw/import/;
use Time::HiRes qw/time/;

our @EXPORT = qw/against messages ms/;


sub new {
    my ($class) = @_;

    my $screen = Duplex::Demo::Screen->new();
    my $stage = Duplex::Demo::Stage->new();
    my $sessions = Duplex::Demo::Sessions->new($stage,
                                               sub { $screen->progress(@_) });

    return bless { screen => $screen, stage => $stage,
                   sessions => $sessions }, $class;
}


sub screen { return $_[0]{screen} }
sub stage { return $_[0]{stage} }


# true if all steps were ok
sub run {
    my ($self) = @_;

    my $screen = $self->{screen};

    my @steps = $self->steps();

    for (@steps) {
        my ($name, $step) = @$_;

        $screen->step($name);
        $self->{marks} = { map { $_ => $_->mark() } $self->{stage}->nodes() };
        my ($figures, @failures) = eval { $self->$step() };

        my $died = $@;

        ($figures, @failures) = ('broken off', split /\n/, $died) if $died;
        push @failures, $self->_alarms();

        $self->_show_complaints() if @failures;
        $screen->verdict($figures, @failures);

        last if $died;              # what follows would not know where it is
    }

    $screen->table();

    return !$screen->failed_steps() && @{$screen->{steps}} == @steps;
}


# tells "one" to drain s3 or not to; ms until it is in force on the other
sub set_drain {
    my ($self, $drain, $one, $other) = @_;

    my $stage = $self->{stage};
    my $server = $stage->server('s3');
    my $state = $drain eq 'true' ? 'draining' : 'up';

    my $id = $stage->peer($one, $server)->{id};
    my $uri = "/api/9/http/upstreams/app/servers/$id";

    # connected already: the connection is not what is measured
    $stage->peer($other, $server);

    my $sent = time();
    my $answer = $stage->client($one, 'api')->request('PATCH', $uri,
        body => "{\"drain\":$drain}");

    die "PATCH: $answer->{status} $answer->{body}\n"
        if $answer->{status} != 200;

    while ($stage->peer($other, $server)->{state} ne $state) {
        die 'node ' . $other->name() . " has s3 not $state after 5 s\n"
            if ms($sent) > 5000;
    }

    my $in_force = sprintf '%.1f', (time() - $sent) * 1000;

    $self->evidence('to node ' . $one->name(),
                     "PATCH $uri {\"drain\":$drain}: $answer->{status}");
    $self->evidence('API of node ' . $other->name(),
        "s3 is $state, $in_force ms after the PATCH was sent");

    return $in_force;
}


sub wait_ready {
    my ($self, $node) = @_;

    my $stage = $self->{stage};

    wait_for {
        my $ready = $stage->client($node, 'api')->get('/ready');
        $self->{screen}->progress('node ' . $node->name()
                                  . ": $ready->{body}");
        $ready->{status} == 200;
    } 10, 'node "' . $node->name() . '" to be ready';

    wait_for { Duplex::Pair::is_linked($node) } 10,
        'node "' . $node->name() . '" to be linked both ways';
}


sub wait_state {
    my ($self, $node, $server, $state, $load) = @_;

    wait_for {
        my $now = $self->{stage}->peer($node, $server)->{state};
        $self->show_load($load, $server->name() . " is $now on node "
                          . $node->name());
        $now eq $state;
    } 15, 'server ' . $server->name() . " to be $state on node "
          . $node->name();
}


sub wait_sent {
    my ($self, $load, $n, $what) = @_;

    wait_for { $self->show_load($load, $what)->{sent} >= $n }
        10, "$n requests of the load";
}


sub show_load {
    my ($self, $load, $what) = @_;

    my $report = $load->report();

    $self->{screen}->progress("$report->{sent} requests sent, "
        . "$report->{failed} failed, " . keys(%{$report->{sessions}})
        . " sessions, $report->{moved} moved" . ($what ? "; $what" : ''));

    return $report;
}


sub evidence {
    my ($self, $source, @lines) = @_;
    $self->{screen}->evidence($source, @lines);
}


# what a healthy node does not log
sub _alarms {
    my ($self) = @_;

    return map {
        my $name = $_->name();
        map { "log of node $name: $_" } $_->bad_log()
    } $self->{stage}->nodes();
}


# the nodes' log of a step that failed, without what is merely noted
sub _show_complaints {
    my ($self) = @_;

    for my $node ($self->{stage}->nodes()) {
        my @lines = messages($node->grep_log(qr/\[(?!notice|info)\w+\]/,
                                              $self->{marks}{$node}));

        splice @lines, 5, -5 if @lines > 10;
        $self->evidence('log of node ' . $node->name(), @lines);
    }
}


# number => what it must not be more than 0 of
sub against {
    my @failures;

    while (my ($n, $what) = splice @_, 0, 2) {
        push @failures, "$what: $n" if $n;
    }

    return @failures;
}


# log lines without pid and connection
sub messages {
    return map { m{^\S+ (\S+) \[(\w+)\] [\d#]+: (?:\*\d+ )?(.*)}
                 ? "$1 $2: $3" : $_ } @_;
}


sub ms {
    my ($since) = @_;
    return int((time() - $since) * 1000 + 0.5);
}


1;
