#!/usr/bin/perl

# A module that would not fit the nginx that is to load it is not built, and
# the message says why: another version, other flags.

###############################################################################

use warnings;
use strict;

use Test::More tests => 10;

use Cwd qw/ abs_path /;
use File::Basename qw/ dirname /;
use File::Path qw/ make_path /;
use File::Temp qw/ tempdir /;

my $root = abs_path(dirname(__FILE__) . '/..');
my $scratch = abs_path($ENV{BUILD} || "$root/build") . '/scratch';
my $dir = tempdir('duplex.XXXXXX', TMPDIR => 1, CLEANUP => 1);

###############################################################################

# the target, asked by tools/build

like(build("$dir/none"), qr/has neither objs\/nginx nor usr\/sbin\/nginx/,
	'no nginx there');

write_file("$dir/root/usr/sbin/nginx", "#!/bin/sh\n", 0755);
like(build("$dir/root"), qr/install the package nginx-dev/,
	'no development package');

write_file("$dir/source/objs/nginx",
	"#!/bin/sh\necho 'nginx version: nginx/1.22.9' >&2\n", 0755);
write_file("$dir/source/configure", "#!/bin/sh\nexit 1\n", 0755);
write_file("$dir/source/src/core/nginx.h",
	"#define NGINX_VERSION      \"1.22.1\"\n");
like(build("$dir/source"), qr/nginx is version 1\.22\.9 but .* is 1\.22\.1/,
	'another version');

# the flags, checked by the compiler

my $config = read_file("$scratch/tree/objs/ngx_auto_config.h");
chomp(my $includes = read_file("$scratch/includes"));

is(compile($config), '', 'the flags of the target');

like(compile(without('NGX_HTTP_SSL')), qr/#error .*--with-http_ssl_module/,
	'no TLS upstreams');
like(compile(without('NGX_COMPAT')), qr/#error .*--with-compat/,
	'not compatible');
like(compile(without('NGX_HTTP_UPSTREAM_ZONE')), qr/#error .*upstream zones/,
	'no zones');
like(compile(without('NGX_THREADS'), '-DNGX_DUPLEX_TARGET_THREADS=1'),
	qr/#error .*--with-threads differs/, 'no threads, but the target has');
like(compile($config, '-DNGX_DUPLEX_TARGET_THREADS=0'),
	qr/#error .*--with-threads differs/, 'threads, but not in the target');
like(compile(without('NGX_STREAM_SSL'), '-DNGX_DUPLEX_TARGET_STREAM_SSL=1'),
	qr/#error .*--with-stream_ssl_module differs/,
	'no TLS in stream, but the target has');

###############################################################################

sub build {
	my ($nginx) = @_;

	return scalar `NGINX=$nginx BUILD=$dir/build $root/tools/build 2>&1`;
}


sub compile {
	my ($config, @flags) = @_;

	write_file("$dir/include/ngx_auto_config.h", $config);
	write_file("$dir/x.c",
		"#include \"$root/modules/core/ngx_duplex_compat.h\"\n");

	return scalar `cc -fsyntax-only @flags -I $dir/include $includes \\
		$dir/x.c 2>&1`;
}


# nginx's configure writes each as "#ifndef X / #define X 1 / #endif"

sub without {
	my ($flag) = @_;

	(my $less = $config) =~ s/^#define $flag\s.*$//mg
		or die "$flag is not in ngx_auto_config.h\n";

	return $less;
}


sub read_file {
	my ($path) = @_;

	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return <$fh>;
}


sub write_file {
	my ($path, $text, $mode) = @_;

	make_path(dirname($path));
	open my $fh, '>', $path or die "$path: $!\n";
	print $fh $text;
	close $fh;
	chmod $mode, $path if $mode;
}

###############################################################################
