#!/usr/bin/perl

# nginx accepts every example, and they are what they say they are.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Example;
use Duplex::Test;


my $loads = 'load-all.conf';

for my $name (grep { $_ ne $loads } Duplex::Example::names()) {
    my $node = Duplex::Node->new(conf => Duplex::Example::conf($name));
    my ($ok, $said) = $node->test_config();

    ok($ok, $name) or diag($said);
}

# the modules, from where they have been built

my $built = Duplex::Node::modules();
my $text = Duplex::Example::text($loads);

$text =~ s{/usr/lib/nginx/modules/(?=ngx_\w*_duplex_|ngx_duplex_)}{$built/}g;

my $node = Duplex::Node->new(vars => { MAIN => "pid %%PREFIX%%/pid;\n" },
                             conf => "%%MAIN%%\n$text\nevents {}\n");
my ($ok, $said) = $node->test_config();

ok($ok, $loads) or diag($said);

is_deeply([ sort(loaded(Duplex::Example::text($loads))) ],
          [ sort(loaded(do { local (@ARGV, $/) = ("$built/load.conf"); <> })) ],
          'it loads what is built, all of it');

# two machines of a pair

my @file = map { [ split /\n/, Duplex::Example::text("pair/nginx-$_.conf") ] }
           qw/a b/;

is(scalar @{$file[0]}, scalar @{$file[1]}, 'the files of a pair are of a size');

is_deeply([ grep { $file[0][$_] ne $file[1][$_] } 0 .. $#{$file[0]} ],
          [ grep { $file[0][$_] =~ /# this node$/ } 0 .. $#{$file[0]} ],
          'they differ in the marked lines only');

done_testing();


sub loaded {
    my ($text) = @_;
    return $text =~ m{^load_module \S*/(ngx_\w*duplex_\w+\.so);$}mg;
}
