#!/usr/bin/perl

# libFuzzer finds nothing in what reads paths, arguments and bodies.
#
# 5 s; DUPLEX_FUZZ=600 is the long run.  What was interesting stays in
# build/fuzz and is where the next run begins.  Skipped where clang is missing
# ("make deps-clients"), and in runs with gcc's sanitizers, which would find
# the same.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Process;


my $runtime = `clang -print-file-name=libclang_rt.asan-x86_64.so 2> /dev/null`;

plan(skip_all => 'no clang, or without libFuzzer') if $runtime !~ m{^/};
plan(skip_all => 'with other sanitizers') if $ENV{SAN} || $ENV{NGINX};

my $seconds = $ENV{DUPLEX_FUZZ} || 5;
my $build = $ENV{BUILD} || "$FindBin::Bin/../build";

my @fuzzers = grep { !m{/fuzz\.c$} } glob "$FindBin::Bin/fuzz/*.c";

my %running = map {
    my $source = $_;
    my ($name) = $source =~ m{(\w+)\.c$};
    my $log = "$build/$name.fuzz.log";

    $name => Duplex::Process->start(name => $name, code => sub {
        open STDOUT, '>', $log or die "$log: $!";
        open STDERR, '>&', \*STDOUT;
        exec "$FindBin::Bin/fuzz/run", $source, $seconds,
             "$build/fuzz/$name";
    });
} @fuzzers;

for my $name (sort keys %running) {
    wait_for { !$running{$name}->is_running() } $seconds + 120, "$name ends";

    my $log = read_log("$build/$name.fuzz.log");

    like($log, qr/^Done \d+ runs in \d+ second/m, "$name: nothing found")
        or diag(substr $log, -3000);
}

done_testing();


sub read_log {
    my ($file) = @_;

    open my $fh, '<', $file or die "$file: $!";
    local $/;

    return scalar <$fh>;
}
