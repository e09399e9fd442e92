package Duplex::Ha::Machine;

# One machine of a pair: nginx, keepalived, and the program that tells
# keepalived what nginx says of itself, in a namespace of its own.
#
# "directory" has its nginx.conf and keepalived.conf, as an operator would
# have them; what nginx writes goes to a prefix of its own.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Cli ();
use Duplex::Directory;
use Duplex::Node;
use Duplex::Process;
use Duplex::Wait;
use Time::HiRes qw/time/;


# name, address, network, directory
sub new {
    my ($class, %args) = @_;

    my $self = bless { %args, processes => {} }, $class;

    $self->{network}->add($args{name}, $args{address});
    $self->{run} = Duplex::Directory::make("run-$args{name}");

    $self->{nginx} = Duplex::Node->new(
        name => $args{name}, netns => $args{name},
        addresses => { api => "unix:$self->{run}/api.sock" },
        conf => $self->_nginx_conf(),
    );

    $self->{nginx}->write_file('pair.key', "a secret of this test\n");
    chmod 0600, $self->{nginx}->prefix() . '/pair.key';

    $self->{keepalived} = $self->_install('keepalived.conf');
    $self->_watch_addresses();

    return $self;
}


sub name { return $_[0]{name} }
sub nginx { return $_[0]{nginx} }


# what differs from a real machine: where the modules are, and what is
# written where
sub _nginx_conf {
    my ($self) = @_;

    my $text = $self->_file('nginx.conf');

    $text =~ s/^include load-all\.conf;$/%%MAIN%%/m
        or croak 'nginx.conf does not include load-all.conf';
    $text =~ s/^http \{$/http {\n    %%HTTP%%/m;
    $text =~ s{/run/duplex/}{$self->{run}/}g;
    $text =~ s{/var/lib/nginx/duplex interval=5s}
              {%%PREFIX%%/state/duplex interval=500ms}
        or croak 'nginx.conf has no store';

    return $text;
}


sub _install {
    my ($self, $name) = @_;

    my $text = $self->_file($name);
    $text =~ s{/run/duplex/}{$self->{run}/}g;

    my $file = "$self->{run}/$name";
    open(my $out, '>', $file) or croak "$file: $!";
    print $out $text;
    close($out) or croak "$file: $!";

    return $file;
}


sub _file {
    my ($self, $name) = @_;

    my $file = "$self->{directory}/$self->{name}/$name";
    open(my $in, '<', $file) or croak "$file: $!";
    local $/;
    return scalar <$in>;
}


sub boot {
    my ($self) = @_;
    $self->start_nginx();
    $self->start_tracker();
    $self->start_keepalived();
}


sub start_nginx {
    my ($self) = @_;
    unlink "$self->{run}/api.sock";
    $self->{nginx}->start();
}


sub start_tracker {
    my ($self) = @_;
    $self->_start('tracker', Duplex::Cli::binary(), '--node',
                  "unix:$self->{run}/api.sock", 'track',
                  "$self->{run}/health", '--every', '100ms');
    wait_for { -s "$self->{run}/health" } 5, 'the track file';
}


sub start_keepalived {
    my ($self) = @_;
    unlink glob "$self->{run}/*.pid";
    $self->_start('keepalived', qw/keepalived -n -l -D -P -f/,
                  $self->{keepalived}, '-p', "$self->{run}/keepalived.pid",
                  '-r', "$self->{run}/vrrp.pid");
    wait_for { -s "$self->{run}/vrrp.pid" } 10,
        "keepalived of $self->{name} to start";
}


sub stop_keepalived {
    my ($self) = @_;
    my $process = $self->{processes}{keepalived};
    $process->signal('TERM');
    $process->wait_end(5);
}


# its addresses stay, as they do in life
sub kill_keepalived {
    my ($self) = @_;
    $self->{processes}{keepalived}->kill_group();
}


# all that runs, at one instant; the disk stays
sub cut_power {
    my ($self) = @_;

    $self->{network}->unplug($self->{name});

    for ($self->{nginx}{process}, values %{$self->{processes}}) {
        $_->kill_group() if $_ != $self->{processes}{watcher};
    }

    $self->{network}->drop_moved_addresses($self->{name});
    unlink "$self->{run}/health";
}


sub restore_power {
    my ($self) = @_;
    $self->{network}->plug($self->{name});
    $self->boot();
}


# the whole machine stands still, and nobody hears from it
sub freeze {
    my ($self) = @_;
    $self->{network}->silence($self->{name});
    $self->_signal_all('STOP');
}


sub thaw {
    my ($self) = @_;
    $self->_signal_all('CONT');
    $self->{network}->unsilence($self->{name});
}


sub _signal_all {
    my ($self, $signal) = @_;

    kill($signal, split ' ', `ip netns pids $self->{name}`);
}


sub hang_workers { kill('STOP', $_[0]{nginx}->workers()) }
sub wake_workers { kill('CONT', $_[0]{nginx}->workers()) }


# as an operator does before maintenance, and after it

sub leave {
    my ($self) = @_;
    $self->_tell(qw/leave --wait=5s/);
}


sub return_ {
    my ($self) = @_;
    $self->_tell('return');
}


sub _tell {
    my ($self, @words) = @_;

    my $said = Duplex::Cli::duplexctl('--node', "unix:$self->{run}/api.sock",
                                      'node', @words);
    croak "duplexctl node @words: $said->{out}$said->{err}" if $said->{code};
}


sub has {
    my ($self, $address) = @_;
    return grep { $_ eq $address }
           $self->{network}->moved_addresses($self->{name});
}


sub is_ready {
    my ($self) = @_;
    my ($status, $ready) = $self->{nginx}->api_get('/api/9/duplex/ready');
    return $status == 200 && $ready->{ready};
}


# when it got ("+") or lost ("-") an address: [ [time, '+', address], ... ]
sub moves {
    my ($self) = @_;

    open(my $in, '<', "$self->{run}/moves") or return [];
    my @moves;
    my $time;

    while (my $line = <$in>) {
        if ($line =~ /^\[(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)\]/) {
            $time = POSIX::mktime($6, $5, $4, $3, $2 - 1, $1 - 1900) . $7;
        }

        push @moves, [ $time, $1 ? '-' : '+', $2 ]
            if $line =~ m{(Deleted )?\d+: eth0 +inet ([\d.]+)/};
    }

    return \@moves;
}


sub _watch_addresses {
    my ($self) = @_;
    $self->_start('watcher', qw/ip -4 -ts monitor address/);
    $self->{processes}{watcher}{log} = "$self->{run}/moves";
}


sub _start {
    my ($self, $name, @command) = @_;

    my $log = $name eq 'watcher' ? 'moves' : "$name.log";

    $self->{processes}{$name} = Duplex::Process->start(
        name => "$name of $self->{name}", netns => $self->{name},
        code => sub {
            open(STDIN, '<', '/dev/null');
            open(STDOUT, '>>', "$self->{run}/$log");
            open(STDERR, '>&', \*STDOUT);
            exec @command or die "exec $command[0]: $!\n";
        },
    );
}


1;
