package Duplex::Demo::Steps;

# The steps of the demo, in their order; Duplex::Demo::Tour says what a step
# is.  Figures about sessions come from the servers' own logs.

use strict;
use warnings;

use Duplex::Client ();
use Duplex::Demo::Tour;
use Duplex::Load;
use Duplex::Wait;
use Time::HiRes qw/sleep time/;

our @ISA = qw/Duplex::Demo::Tour/;


sub steps {
    return (
        ['two nodes and three servers are up',          'start'],
        ['a session goes on on the other node',         'share_sessions'],
        ['a killed server costs no request',            'kill_server'],
        ['a drain sent to A is in force on B',          'drain'],
        ['B goes on with all sessions when A is killed', 'kill_node'],
        ['A is ready only when it knows all again',     'return_node'],
        ['reloads of both cost no request',             'reload'],
    );
}


sub start {
    my ($self) = @_;

    my $stage = $self->{stage};

    $self->_show_nginx();

    my $started = time();

    $_->start() for $stage->servers();
    $_->start() for $stage->nodes();
    $self->wait_ready($_) for $stage->nodes();

    for my $node ($stage->nodes()) {
        $self->evidence($node->name() . ' /ready',
                         $stage->client($node, 'api')->get('/ready')->{body});
    }

    return sprintf 'linked and ready after %d ms', ms($started);
}


# the binary is the distribution's, and so are the three servers
sub _show_nginx {
    my ($self) = @_;

    my $binary = Duplex::Node::binary();
    my ($version) = `$binary -v 2>&1` =~ /version: (\S+)/;
    my ($package) = `dpkg -S $binary 2>/dev/null` =~ /^(\S+):/;

    if (!defined $package) {
        $self->evidence($binary, $version);
        return;
    }

    my $changed = grep { m{ $binary$} } `dpkg --verify $package 2>/dev/null`;

    $self->evidence($binary, "$version of package $package, "
        . ($changed ? 'CHANGED' : 'unchanged') . ' says dpkg --verify');
}


sub share_sessions {
    my ($self) = @_;

    my ($stage, $sessions) = @$self{qw/stage sessions/};
    my ($a, $b) = $stage->nodes();

    # one to look at

    my ($sid) = $sessions->open(1, '/begin', $a);
    my $home = $sessions->home($sid);

    $self->evidence('node a answered', "Set-Cookie: sid=$sid");
    $stage->wait_acknowledged($a);

    $sessions->go_on($b, '/continue', ($sid) x 3);
    $self->evidence("log of server $home",
                     $stage->log_of($home, $sid));

    # and many to count

    my $n = 60;
    my @sids = $sessions->open($n, '/opened-on-a', $a);
    $stage->wait_acknowledged($a);

    my $count = $sessions->go_on($b, '/continued-on-b', @sids);

    $self->evidence('servers\' logs',
        "$n sessions opened through a: " . $sessions->spread(@sids),
        "continued through b: $count->{home} on their server, "
        . "$count->{moved} moved, $count->{failed} failed");

    return "$count->{sent} sessions, $count->{moved} moved, "
         . "$count->{failed} failed",
         against($count->{moved} => 'sessions moved',
                 $count->{failed} => 'requests failed');
}


sub kill_server {
    my ($self) = @_;

    my $stage = $self->{stage};
    my $server = $stage->server('s2');
    my ($a, $b) = $stage->nodes();

    my $load = Duplex::Load->start(
        targets => [ $stage->fronts() ], uri => '/load',
        clients => 16, rate => 400, sessions => 1);

    $self->wait_sent($load, 200);

    my %mark = map { $_ => $stage->node($_)->mark() } qw/a b/;
    $stage->count_resent();

    $server->kill9();
    my $killed = time();

    $self->wait_state($_, $server, 'unhealthy', $load) for $a, $b;
    my $out = ms($killed);

    # it stays so for a while
    my $sent = $load->report()->{sent};
    $self->wait_sent($load, $sent + 200);

    my $resent = $stage->count_resent();

    for my $node ($a, $b) {
        $self->evidence('log of node ' . $node->name(),
            messages($node->grep_log(qr/is now unhealthy/,
                                      $mark{$node->name()})));
    }

    $server->start();
    my $back = time();

    $self->wait_state($_, $server, 'up', $load) for $a, $b;
    $back = ms($back);

    my $report = $load->stop();

    $self->evidence('clients', "$report->{sent} requests sent to both nodes, "
        . "$report->{failed} failed, " . servers_of($report),
        "$report->{moved} moves of sessions, away from s2",
        grep { !/ moved to / } @{$report->{errors}});
    $self->evidence('logs of a and b', "$resent requests sent again to "
        . 'another server, as the first did not answer');
    $self->evidence('API of a and b', "out of service on both $out ms after "
        . "kill -9, back $back ms after its return");

    return "$report->{sent} sent, $report->{failed} failed, "
         . "$resent resent; out in $out ms",
         against($report->{failed} => 'requests failed');
}


sub drain {
    my ($self) = @_;

    my ($stage, $sessions) = @$self{qw/stage sessions/};
    my ($a, $b) = $stage->nodes();

    my @before = $sessions->sids('s3');
    my $in_force = $self->set_drain('true', $a, $b);

    my @new = $sessions->open(60, '/new-while-draining', $b);
    my $wrong = grep { $sessions->home($_) eq 's3' } @new;
    my $stay = $sessions->go_on($b, '/old-while-draining', @before);

    $self->evidence('servers\' logs',
        '60 new sessions through b: ' . $sessions->spread(@new),
        "$stay->{sent} old sessions of s3 through b: $stay->{home} still "
        . "there, $stay->{moved} moved");

    return "on B in $in_force ms; of 60 new $wrong there; "
         . "of $stay->{sent} old $stay->{moved} moved",
         against($wrong => 'new sessions on the draining server',
                  $stay->{moved} => 'sessions moved',
                  $stay->{failed} => 'requests failed'),
         @before ? () : 'there was no session to stay';
}


sub kill_node {
    my ($self) = @_;

    my ($stage, $sessions) = @$self{qw/stage sessions/};
    my ($a, $b) = $stage->nodes();

    $sessions->open(5000, '/before-the-kill', $a, $b);

    my $load = Duplex::Load->start(
        targets => [ $stage->fronts() ], uri => '/load',
        clients => 16, rate => 300, sessions => 1, retry => 1);

    # what was acknowledged must survive: all clients have their session

    $self->wait_sent($load, 150);
    wait_for { keys %{$self->show_load($load)->{sessions}} == 16 } 10,
        'a session of each client';
    $stage->wait_acknowledged($_) for $a, $b;

    my $mark = $b->mark();
    my @killed = ($a->pid(), $a->workers());

    $a->kill9();
    my $killed = time();

    wait_for {
        $self->show_load($load);
        !grep { $_->{state} eq 'online' } @{$stage->api($b, 'duplex/nodes')};
    } 5, 'node b to miss node a';

    my $noticed = ms($killed);
    my $sent = $load->report()->{sent};
    $self->wait_sent($load, $sent + 100);

    my @all = $sessions->sids();
    my $count = $sessions->go_on($b, '/after-the-kill', @all);
    my $report = $load->stop();

    $self->evidence('killed -9', 'node a: master ' . shift(@killed)
                    . ', workers ' . join(', ', @killed));
    $self->evidence('log of node b', "$noticed ms later",
                    messages($b->grep_log(qr/node "a"/, $mark)));
    $self->evidence('servers\' logs',
        @all . ' sessions were opened through a and b: '
        . $sessions->spread(@all),
        "continued through b: $count->{home} on their server, "
        . "$count->{moved} moved, $count->{failed} failed");
    $self->evidence('clients', "$report->{sent} requests over the kill by "
        . "clients that try the other node: $report->{failed} failed, "
        . "$report->{retried} tried again, $report->{moved} moved",
        @{$report->{errors}});

    return "$count->{sent} sessions, "
         . ($count->{moved} + $report->{moved}) . ' moved; '
         . "$report->{sent} requests, $report->{failed} failed",
         against($count->{moved} => 'sessions moved',
                 $report->{moved} => 'sessions under load moved',
                 $count->{failed} + $report->{failed} => 'requests failed');
}


sub return_node {
    my ($self) = @_;

    my ($stage, $sessions) = @$self{qw/stage sessions/};
    my ($a, $b) = $stage->nodes();

    $stage->forget_clients($a);
    my $mark = $a->mark();

    my ($ready, @answers) = $self->_watch_start($a);

    $self->evidence('a /ready', @answers);
    return 'never ready', 'node a is not ready' if !$ready;

    my @all = $sessions->sids();
    my $count = $sessions->go_on($a, '/a-is-back', @all);
    my $state = $stage->peer($a, $stage->server('s3'))->{state};
    my @new = $sessions->open(60, '/new-after-the-return', $a);
    my $wrong = grep { $sessions->home($_) eq 's3' } @new;

    $self->evidence('log of node a',
                    messages($a->grep_log(qr/ is ready|node "b"/, $mark)));
    $self->evidence('servers\' logs',
        "$count->{sent} sessions continued through a: $count->{home} on their "
        . "server, $count->{moved} moved, $count->{failed} failed",
        '60 new sessions through a: ' . $sessions->spread(@new));
    $self->evidence('API of node a', "s3 is $state");

    $self->set_drain('false', $b, $a) if $state eq 'draining';

    return "ready after $ready ms; $count->{sent} sessions, "
         . "$count->{moved} moved; s3 $state",
         against($count->{moved} => 'sessions moved',
                 $count->{failed} => 'requests failed',
                 $wrong => 'new sessions on the draining server'),
         $state eq 'draining' ? () : 'the drain was lost',
         grep({ / 503 / } @answers) ? () : 'it was never not ready';
}


# Starts the node and asks for /ready all the time, also before it listens.
# (ms until it was ready, each answer that was not the one before)
sub _watch_start {
    my ($self, $node) = @_;

    my $started = time();
    my ($refused, $before, @answers) = (0, '');

    $node->launch();

    while (ms($started) < 15000) {
        my $answer = Duplex::Client::get($node->address('api'), '/ready');

        if (!$answer->{status}) {
            $refused++;
            sleep 0.001;
            next;
        }

        my $line = "$answer->{status} $answer->{body}";
        $self->{screen}->progress("node a: $line");

        push @answers, sprintf '%4d ms  %s', ms($started), $line
            if $line ne $before;
        $before = $line;

        last if $answer->{status} == 200;
    }

    return $before =~ /^200 / ? ms($started) : undef,
           "   0 ms  connection refused ($refused times)", @answers;
}


sub reload {
    my ($self) = @_;

    my $stage = $self->{stage};
    my $times = 3;

    my @loads = map {
        Duplex::Load->start(targets => [ $stage->fronts() ], uri => '/load',
            clients => 8, rate => 200, sessions => 1, keepalive => $_);
    } 0, 1;

    for my $i (1 .. $times) {
        for my $node ($stage->nodes()) {
            my $sent = $loads[0]->report()->{sent};

            # some before, some over, and some after it
            $self->wait_sent($loads[0], $sent + 20);
            $node->reload(wait_old => 1);
            $self->wait_sent($loads[0], $sent + 60,
                              "reload $i of node " . $node->name());
        }
    }

    my ($new, $kept) = map { $_->stop() } @loads;
    my ($sent, $failed, $moved) = map { $new->{$_} + $kept->{$_} }
                                  qw/sent failed moved/;

    for (['new connections', $new], ['kept connections', $kept]) {
        my ($what, $report) = @$_;
        $self->evidence($what, "$report->{sent} requests, $report->{failed} "
            . "failed, $report->{moved} moved", @{$report->{errors}});
    }

    return "$times reloads each, $sent requests, $failed failed, "
         . "$moved moved",
         against($failed => 'requests failed', $moved => 'sessions moved');
}


sub servers_of {
    my ($report) = @_;
    return 'answered by ' . join ', ', map { "$_ $report->{backends}{$_}" }
                                   sort keys %{$report->{backends}};
}


1;
