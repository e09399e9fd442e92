#!/usr/bin/perl

# Core first, the rest in any order; otherwise the loader's own message says
# what to do.  Asked of nginx -t, for each object.

###############################################################################

use warnings;
use strict;

use Test::More;

use File::Basename qw/ basename dirname /;
use File::Temp qw/ tempdir /;

my $build = $ENV{BUILD} || dirname(__FILE__) . '/../build';
my $dir = tempdir('duplex.XXXXXX', TMPDIR => 1, CLEANUP => 1);

chomp(my $nginx = `cat $build/scratch/nginx`);
die "no $build/scratch/nginx: make build\n" unless $nginx;

# what load.conf has, in its order: the stock stream module, core, the rest

open my $fh, '<', "$build/modules/load.conf" or die "load.conf: $!\n";
my @objects = map { /^load_module (\S+);$/ ? $1 : () } <$fh>;
close $fh;

my @stock = grep { !/duplex/ } @objects;
my ($core, @features) = grep { /duplex/ } @objects;

# objects of a sanitizer build want its runtime before all else

if (`nm -D $core` =~ /__asan_init/) {
	chomp($ENV{LD_PRELOAD} = `cc -print-file-name=libasan.so`);
	$ENV{ASAN_OPTIONS} = 'detect_odr_violation=0:detect_leaks=0';
}

plan tests => 4 + @features;

###############################################################################

is(basename($core), 'ngx_duplex_core_module.so', 'core is first in load.conf');

like(nginx_t(@stock, $core), qr/test is successful/, 'core alone');
like(nginx_t(@stock, $core, @features), qr/test is successful/,
	'core, then the others');
like(nginx_t(@stock, $core, reverse @features), qr/test is successful/,
	'core, then the others in reverse');

for my $feature (@features) {
	like(nginx_t(@stock, $feature, $core),
		qr/undefined\ symbol:
			\ ngx_duplex_core_module_must_be_loaded_first\)/x,
		basename($feature) . ' before core');
}

###############################################################################

sub nginx_t {
	my $conf = join '', map { "load_module $_;\n" } @_;

	open my $fh, '>', "$dir/nginx.conf" or die "nginx.conf: $!\n";
	print $fh "error_log stderr notice;\npid $dir/nginx.pid;\n$conf",
		"events {}\nhttp {}\n", @stock ? "stream {}\n" : '';
	close $fh;

	return scalar `$nginx -t -p $dir/ -c $dir/nginx.conf 2>&1`;
}

###############################################################################
