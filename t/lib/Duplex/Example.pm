package Duplex::Example;

# A configuration of conf.examples, made to run as a Duplex::Node.
#
# Changed are the modules' place, what nginx would write outside the prefix
# (pid, logs, temporary files), and the ports; everything else is what a user
# reads in the file.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;


my $directory = Duplex::Directory::root() . '/conf.examples';


# names as in "pair/nginx-a.conf"
sub names {
    return map { substr $_, 1 + length $directory }
           sort glob("$directory/*.conf $directory/*/*.conf");
}


sub text {
    my ($name) = @_;

    open(my $f, '<', "$directory/$name") or croak "$directory/$name: $!";
    local $/;
    return scalar <$f>;
}


# For Duplex::Node->new(conf => ...).  An address like 127.0.0.11:8080 gets a
# free port in place of 8080: the node's port("8080"), or another name for it.
sub conf {
    my ($name, %port_names) = @_;

    my $text = text($name);

    $text =~ s/^include load-all\.conf;$/%%MAIN%%/m
        or croak "$name does not include load-all.conf";

    $text =~ s/^http \{$/http {\n    %%HTTP%%/m;

    $text =~ s/\b(127(?:\.\d+){3}):(\d+)\b
              /"$1:%%PORT_" . ($port_names{$2} || $2) . '%%'/gex;

    return $text;
}


1;
