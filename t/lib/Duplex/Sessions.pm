package Duplex::Sessions;

# As many sessions as a test wants, asked for through any node, and who has
# served them: more than a Perl client could do (Sessions/asker.c says how).
#
#     my $sessions = Duplex::Sessions->new(sessions => 1000000);
#     my $r = $sessions->ask($node->address('front'));
#     $r = $sessions->ask($other->address('front'), 2);
#     $sessions->hammer($node->address('front'), 60);    # goes on
#     $r = $sessions->answer();
#
# Servers answer with one digit, their name, and set the cookie "sid" to what
# the request had: conf($name) is the configuration of such a server.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;
use Duplex::Process;
use IO::Handle;
use Socket;


sub new {
    my ($class, %args) = @_;

    my $binary = _binary();

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or croak "socketpair() failed: $!";

    my $process = Duplex::Process->start(name => 'asker', code => sub {
        CORE::close($ours);
        POSIX::dup2(fileno $theirs, 0);
        POSIX::dup2(fileno $theirs, 1);
        exec $binary, $args{sessions}, $args{connections} || 32,
             $args{depth} || 8 or die "$binary: $!\n";
    });

    CORE::close($theirs);
    $ours->autoflush(1);

    return bless { process => $process, control => $ours }, $class;
}


# all sessions once; those of server "move", a digit, may have moved
sub ask {
    my ($self, $address, $move) = @_;

    $self->_say('ask', $address, $move // 0);
    return $self->answer();
}


# returns at once
sub hammer {
    my ($self, $address, $seconds) = @_;
    $self->_say('hammer', $address, $seconds);
}


sub _say {
    my ($self, $word, $address, $argument) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my ($ip, $port) = split /:/, $address;
    my $control = $self->{control};
    print $control "$word $ip $port $argument\n";
}


# waits for it
sub answer {
    my ($self) = @_;

    my $control = $self->{control};
    my $line = <$control> // croak 'the asker is gone';

    return { split ' ', $line };
}


# of a server
sub conf {
    my ($name) = @_;

    return <<"EOC";
%%MAIN%%
worker_processes 1;

events {
    worker_connections 1024;
}

http {
    %%HTTP%%

    keepalive_requests 1000000000;

    server {
        listen %%LISTEN_back%%;
        add_header Set-Cookie "sid=\$cookie_sid";
        return 200 "$name";
    }
}
EOC
}


sub _binary {
    my $build = $ENV{BUILD} || Duplex::Directory::root() . '/build';
    my $from = __FILE__ =~ s/\.pm$//r . '/asker.c';
    my $to = "$build/asker";

    if (!-e $to || -M $from < -M $to) {
        system('cc', '-O2', '-W', '-Wall', '-o', "$to.$$", $from) == 0
            or croak "cannot compile $from";
        rename("$to.$$", $to) or croak "$to: $!";
    }

    return $to;
}


1;
