#!/usr/bin/perl

# make-pair.sh makes the files of both nodes from one file of addresses; those
# in conf.examples are what it makes.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Directory;
use Duplex::Test;


my $root = Duplex::Directory::root();
my $dir = Duplex::Directory::make('pair');

for my $example (qw/active-standby mutual-standby active-active/) {
    my $from = "$root/conf.examples/$example";
    my ($code, $said) = make_pair($from, "$from/addresses", $dir);

    is($code, 0, "$example is made") or diag($said);

    for my $file (qw{a/nginx.conf a/keepalived.conf
                     b/nginx.conf b/keepalived.conf})
    {
        is(content("$dir/$file"), content("$from/$file"),
           "$example/$file is what the example has");
    }
}

my $example = "$root/conf.examples/active-standby";
my $addresses = content("$example/addresses");

for my $case (
    [ '', qr/has no line NODE_A=/, 'no addresses' ],
    [ $addresses =~ s/^INTERFACE=.*\n//mr,
      qr/has no value for \@INTERFACE\@$/, 'a name that is missing' ],
    [ $addresses =~ s/^NODE_B=.*/NODE_B=\$(reboot)/mr,
      qr/"\$\(reboot\)" is not a value for NODE_B/, 'a value with a command' ],
    [ $addresses =~ s/^ADDRESS=.*/ADDRESS=x|e/mr,
      qr/"x\|e" is not a value for ADDRESS/, 'a value that sed would run' ],
) {
    my ($text, $expected, $name) = @$case;

    write_file("$dir/addresses", $text);

    my ($code, $said) = make_pair($example, "$dir/addresses", "$dir/bad");

    is($code, 1, "$name: refused");
    like($said, $expected, "$name: it says why");
    is(scalar(() = $said =~ /\n/g), 1, "$name: in one line");
}

ok(!glob("$dir/bad/*/nginx.conf"), 'nothing half-made is left');

done_testing();


sub make_pair {
    my $text = `$root/lua-free-scripts/make-pair.sh @_ 2>&1`;
    return ($? >> 8, $text);
}


sub content {
    my ($file) = @_;
    open(my $f, '<', $file) or return '';
    local $/;
    return scalar(<$f>) // '';
}


sub write_file {
    my ($file, $text) = @_;
    open(my $f, '>', $file) or die "$file: $!\n";
    print $f $text;
}
