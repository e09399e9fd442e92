package Duplex::Ha::Network;

# One switch and the machines on it, each a network namespace.
#
#     my $network = Duplex::Ha::Network->new();
#     $network->add('a', '10.77.0.11');
#
# Processes enter a namespace by its name: netns => 'a' of Duplex::Process.
# Nothing of the machine's own network is touched; there is no way out.
#
# The test runs itself again in namespaces for mounts and processes first:
# however it ends, nothing is left of all this.

use strict;
use warnings;

use Carp qw/croak/;
use Time::HiRes qw/time/;

use constant SWITCH => 'switch';


BEGIN {
    if ($^C) {
        # only its syntax is asked for

    } elsif ($> != 0) {
        print "1..0 # SKIP needs root, for network namespaces\n";
        exit 0;

    } elsif (!$ENV{DUPLEX_HA_INSIDE}) {
        $ENV{DUPLEX_HA_INSIDE} = 1;
        exec qw/setpriv --pdeathsig KILL
                unshare --mount --pid --fork --kill-child --mount-proc/,
             $^X, $0, @ARGV
            or die "unshare: $!\n";
    }
}


sub new {
    my ($class) = @_;

    my $self = bless { machines => {}, mac => 16 }, $class;

    mkdir '/run/netns';
    _run('mount', '-t', 'tmpfs', 'netns', '/run/netns');

    _run('ip', 'netns', 'add', SWITCH);
    _quiet_ipv6(SWITCH);
    _run(qw/ip -n/, SWITCH, qw/link add br0 type bridge stp_state 0
                               forward_delay 0 mcast_snooping 0/);
    _run(qw/ip -n/, SWITCH, qw/link set br0 up/);

    return $self;
}


# a machine called "name", with one interface, eth0
sub add {
    my ($self, $name, $address) = @_;

    _run(qw/ip netns add/, $name);
    _quiet_ipv6($name);
    _run(qw/ip -n/, SWITCH, qw/link add/, "p-$name",
         qw/type veth peer name eth0 netns/, $name);
    _run(qw/ip -n/, $name, qw/link set eth0 address/,
         sprintf('02:77:00:00:00:%02x', $self->{mac}++));
    _run(qw/ip -n/, $name, qw/link set lo up/);
    _run(qw/ip -n/, $name, qw/addr add/, "$address/24", qw/dev eth0/);
    _run(qw/ip -n/, $name, qw/link set eth0 up/);
    _run(qw/ip -n/, SWITCH, qw/link set/, "p-$name", qw/master br0 up/);

    $self->{machines}{$name} = $address;
}


# the addresses of its eth0 but for the one it was added with
sub moved_addresses {
    my ($self, $name) = @_;

    my $text = _output(qw/ip -4 -o -n/, $name, qw/addr show dev eth0/);

    return grep { $_ ne $self->{machines}{$name} }
           $text =~ m{ inet (\d+(?:\.\d+){3})/}g;
}


# as a machine that was switched off loses them
sub drop_moved_addresses {
    my ($self, $name) = @_;

    _run(qw/ip -n/, $name, qw/addr del/, "$_/24", qw/dev eth0/)
        for $self->moved_addresses($name);
}


# The cable: without "carrier" the machine sees that it is out.

sub unplug {
    my ($self, $name) = @_;
    _run(qw/ip -n/, SWITCH, qw/link set/, "p-$name", 'down');
}


sub plug {
    my ($self, $name) = @_;
    _run(qw/ip -n/, SWITCH, qw/link set/, "p-$name", 'up');
}


# the switch forwards nothing of it, and the machine does not know
sub silence {
    my ($self, $name) = @_;
    _run(qw/bridge -n/, SWITCH, qw/link set dev/, "p-$name", qw/state 0/);
}


sub unsilence {
    my ($self, $name) = @_;
    _run(qw/bridge -n/, SWITCH, qw/link set dev/, "p-$name", qw/state 3/);
}


# no frame gets from any machine of one list to any of the other, nor back
sub cut {
    my ($self, $these, $those) = @_;

    my $rules = "add table bridge cut\n"
        . 'add chain bridge cut frames '
        . "{ type filter hook forward priority 0; }\n";

    for my $this (@$these) {
        for my $that (@$those) {
            $rules .= "add rule bridge cut frames "
                . "iifname \"p-$_->[0]\" oifname \"p-$_->[1]\" drop\n"
                for [$this, $that], [$that, $this];
        }
    }

    open(my $nft, '|-', qw/ip netns exec/, SWITCH, qw/nft -f -/)
        or croak "nft: $!";
    print $nft $rules;
    close($nft) or croak "nft refused:\n$rules";
}


sub heal_cuts {
    my ($self) = @_;
    _run(qw/ip netns exec/, SWITCH, qw/nft delete table bridge cut/);
}


# as if it had never talked to anybody
sub forget_neighbours {
    my ($self, $name) = @_;
    _run(qw/ip -n/, $name, qw/neigh flush dev eth0/);
}


sub _quiet_ipv6 {
    my ($name) = @_;
    _run(qw/ip netns exec/, $name, qw/sysctl -qw
         net.ipv6.conf.all.disable_ipv6=1
         net.ipv6.conf.default.disable_ipv6=1/);
}


sub _run {
    system(@_) == 0 or croak "failed: @_";
}


sub _output {
    open(my $out, '-|', @_) or croak "$_[0]: $!";
    local $/;
    return <$out> // '';
}


1;
