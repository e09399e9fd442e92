package Duplex::Ha::Faults;

# What can happen to a pair, and what is promised for each fault.
#
# "a" is the machine that it happens to; see Duplex::Ha::Cluster::suffer() for
# the words.  Bounds are those of a machine of its own; DUPLEX_SLOW in the
# environment, for one that does other things, too, stretches times, and what
# clients without a retry lose is then shown and not judged.

use strict;
use warnings;


my @faults = (
    { name => 'told to leave',
      strike => sub { $_[0]->a()->leave() },
      heal => sub { $_[0]->a()->return_() },
      moves => 1, within => 1, patience => 0.5, lost => 1 },

    { name => 'nginx killed',
      strike => sub { $_[0]->a()->nginx()->kill9() },
      heal => sub { $_[0]->a()->start_nginx() },
      moves => 1, within => 0.8, patience => 1 },

    { name => 'link down',
      strike => sub { $_[0]->network()->unplug('a') },
      heal => sub { $_[0]->network()->plug('a') },
      moves => 1, within => 0.8, patience => 1.5 },

    { name => 'workers hung',
      strike => sub { $_[0]->a()->hang_workers() },
      heal => sub { $_[0]->a()->wake_workers() },
      moves => 1, within => 1.5, patience => 2.5 },

    { name => 'isolated, carrier on',
      strike => sub { $_[0]->network()->silence('a') },
      heal => sub { $_[0]->network()->unsilence('a') },
      moves => 1, within => 0.8, patience => 1.5,
      lost_healing => 100 },     # a's servers have failed, and must pass twice

    { name => 'isolated for long',
      strike => sub { $_[0]->network()->silence('a') },
      heal => sub { $_[0]->network()->unsilence('a') },
      moves => 1, within => 0.8, patience => 1.5, lasts => 8, gives_up => 1 },

    { name => 'cut between the nodes',
      strike => sub { $_[0]->network()->cut(['a'], ['b']) },
      heal => sub { $_[0]->network()->heal_cuts() },
      moves => 1, within => 0.8, patience => 1.5 },

    { name => 'backends cut from a',
      strike => sub { $_[0]->network()->cut(['a'],
                                            [ $_[0]->backend_machines() ]) },
      heal => sub { $_[0]->network()->heal_cuts() },
      moves => 1, within => 4, patience => 6 },

    { name => 'backends cut from both',
      strike => sub { $_[0]->network()->cut(['a', 'b'],
                                            [ $_[0]->backend_machines() ]) },
      heal => sub { $_[0]->network()->heal_cuts() },
      moves => 0, lasts => 3, patience => 8, rebinds => 1,
      lost_healing => 200 },     # hanging when it ends: for 0.3 s each

    { name => 'keepalived killed',
      strike => sub { $_[0]->a()->kill_keepalived() },
      heal => sub { $_[0]->a()->start_keepalived() },
      moves => 1, within => 0.8, patience => 1 },

    { name => 'machine frozen',
      strike => sub { $_[0]->a()->freeze() },
      heal => sub { $_[0]->a()->thaw() },
      moves => 1, within => 0.8, patience => 1.5, lasts => 2 },

    { name => 'machine rebooted',
      strike => sub { $_[0]->a()->cut_power() },
      heal => sub { $_[0]->a()->restore_power() },
      moves => 1, within => 0.8, patience => 1.5 },

    { name => 'power cut for both',
      strike => sub { $_->cut_power() for $_[0]->a(), $_[0]->b() },
      heal => sub { $_->restore_power() for $_[0]->a(), $_[0]->b() },
      moves => 0, settles => 2, lasts => 0.5, patience => 20,
      lost_healing => 5000 },
);


# FAULT=regex in the environment chooses among them
sub all {
    my $wanted = $ENV{FAULT} // '';
    return grep { $_->{name} =~ /$wanted/ } @faults;
}


1;
