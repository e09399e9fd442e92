package Duplex::Test;

# What every test of the suite begins with:
#
#     use Duplex::Test;
#
# brings Test::More, wait_for and happens, the HTTP client's functions, and
# the classes Duplex::Node, Duplex::Pair, Duplex::Backend and Duplex::Load.
#
# done_testing() stops all nodes first, and fails the test if one of them
# logged something alarming.

use strict;
use warnings;

use Duplex::Backend;
use Duplex::Client;
use Duplex::Load;
use Duplex::Node;
use Duplex::Pair;
use Duplex::Wait;
use JSON::PP ();
use Test::More ();
use Time::HiRes ();


sub import {
    strict->import();
    warnings->import();

    my $caller = caller;

    no strict 'refs';

    for (@Test::More::EXPORT) {
        my ($sigil, $name) = /^([\$\@%]?)(\w+)$/;
        next if $sigil || $name eq 'done_testing';
        *{"${caller}::$name"} = \&{"Test::More::$name"};
    }

    *{"${caller}::TODO"} = \${"Test::More::TODO"};
    *{"${caller}::done_testing"} = \&done_testing;

    *{"${caller}::$_"} = \&{"Duplex::Wait::$_"} for @Duplex::Wait::EXPORT;
    *{"${caller}::$_"} = \&{"Duplex::Client::$_"} for @Duplex::Client::EXPORT;

    *{"${caller}::true"} = sub () { JSON::PP::true() };
    *{"${caller}::false"} = sub () { JSON::PP::false() };

    *{"${caller}::$_"} = \&{"Time::HiRes::$_"} for qw/time sleep/;
}


sub done_testing {
    Duplex::Node::finish_all();
    Test::More::done_testing(@_);
}


if (!-e Duplex::Node::modules() . '/load.conf') {
    Test::More::BAIL_OUT('no ' . Duplex::Node::modules()
                         . '/load.conf: run "make build" first');
}


1;
