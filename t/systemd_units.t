#!/usr/bin/perl

# systemd understands our unit and drop-ins, together with Debian's units.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Directory;
use Duplex::Test;


my @debian = map { "/lib/systemd/system/$_.service" } qw/nginx keepalived/;

if (!-x '/usr/bin/systemd-analyze') {
    plan(skip_all => 'no systemd-analyze here');

} elsif (grep { !-e } @debian) {
    plan(skip_all => "no @debian here");
}

my $root = Duplex::Directory::root();
my $dir = Duplex::Directory::make('units');

system('cp', '-r', @debian, "$root/cli/duplexctl-track.service",
       glob("$root/conf.examples/systemd/*.d"), $dir) == 0
    or die "cp failed\n";

for my $unit (qw/nginx keepalived duplexctl-track/) {
    is_deeply([ complaints($unit) ], [], "$unit.service is understood");
}

open(my $f, '>>', "$dir/nginx.service.d/duplex.conf") or die "$!\n";
print $f "NoSuchThing=1\n";
close($f);

like((complaints('nginx'))[0], qr/NoSuchThing/, 'a mistake would be seen');

done_testing();


# whether duplexctl is installed is not the question
sub complaints {
    my ($unit) = @_;

    local $ENV{SYSTEMD_UNIT_PATH} = "$dir:/lib/systemd/system";

    my @lines = `systemd-analyze verify --man=no $dir/$unit.service 2>&1`;
    return grep { /\Q$dir\E|duplex/ && !/duplexctl is not executable/ } @lines;
}
