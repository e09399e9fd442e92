#!/usr/bin/perl

# Manual, help and completion know the same commands and options, and no tool
# that reads them has anything against them.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Directory;
use Duplex::Test;


my $root = Duplex::Directory::root();
my $help = duplexctl('help');
my $manual = read_file('cli/duplexctl.1');
my $docs = read_file('docs/cli.md');

is($help->{code}, 0, 'help');

my ($commands, $options) = split /\nOptions of all commands:\n/, $help->{out};
my @said = $commands =~ /^  ([a-z]+(?: [a-z]+(?![a-z|]))?)/mg;
my @written = $manual =~ /^\.TP\n\.B[RI]? "?([a-z]+(?: [a-z]+)?) ?"?(?=[ "|\n])/mg;

s/^check live$/check/ for @written;
is_deeply(\@written, \@said, 'the manual has all commands, in order');

for my $command (@said) {
    my ($noun, $verb) = split / /, $command;

    my $r = duplexctl('help', $noun);
    is($r->{code}, 0, "help $noun") if !$verb || $verb eq 'list';

    next if $noun =~ /^(complete|help)$/;
    like($docs, qr/duplexctl (?:\S+ \S+ )*$command\b/, "docs/cli.md has \"$command\"");
}

(my $plain = $manual) =~ s/\\-/-/g;
my $all = join '', $options, map { duplexctl('help', $_)->{out} }
          map { /^(\w+)/ } @said;
my %option = map { $_ => 1 } $all =~ /(--[a-z-]+)/g;
my @missing = grep { my $o = $_; $plain !~ /\Q$o\E\b/ } sort keys %option;

is("@missing", '', 'the manual has all options');

is(complete('pe'), "peer\n", 'a noun is completed');
like(complete('peer', ''), qr/^list\nshow\n/, 'verbs are');
is(complete('peer', 'un'), "undrain\n", 'a verb is');
is(complete('status', '--wa'), "--watch\n", 'an option is');
is(complete('node', 'list', '--rea'), '', 'one of another command is not');
is(complete('check', 'r'), "ready\n", 'a word is');
is(complete('peer', 'drain', ''), '', 'nobody answers: nothing');

my $node = Duplex::Node->new(conf => <<'EOC')->start();
%%MAIN%%

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        server 127.0.0.21:%%PORT_backend%%;
    }

    server {
        listen %%LISTEN_api%%;

        location /api/ {
            api;
        }
    }
}
EOC

{
    local $Duplex::Cli::environment{DUPLEXCTL_NODE} = $node->address('api');
    is(complete('peer', 'drain', ''), "app\n", 'groups are completed');
    like(complete('peer', 'drain', 'app', '127'), qr/^127\.0\.0\.21:\d+\n$/,
         'servers are');

    my ($path) = Duplex::Cli::binary() =~ m{^(.*)/};
    local $Duplex::Cli::environment{PATH} = "$path:$ENV{PATH}";

    my $r = run_command('bash', '-c', ". $root/cli/duplexctl.bash" . <<'EOS');

COMP_LINE="duplexctl peer dr" COMP_POINT=17
COMP_WORDS=(duplexctl peer dr) COMP_CWORD=2
_duplexctl; echo "${COMPREPLY[@]}"
COMP_LINE="duplexctl peer drain app 127.0.0.21:" COMP_POINT=36
COMP_WORDS=(duplexctl peer drain app 127.0.0.21 :) COMP_CWORD=5
_duplexctl; echo "${COMPREPLY[@]}"
EOS
    like($r->{out}, qr/^drain\n\d+\n$/, 'bash') or diag($r->{err});
}

done_testing();


sub complete {
    return duplexctl('complete', @_)->{out};
}


sub read_file {
    my ($name) = @_;
    open(my $f, '<', "$root/$name") or die "$name: $!\n";
    local $/;
    return scalar <$f>;
}
