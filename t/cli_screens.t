#!/usr/bin/perl

# duplexctl top and --watch on a real terminal of 80 columns: what stands
# there, what keys do, and that the terminal is as before afterwards.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Cli;
use Duplex::Directory;
use Duplex::Test;


my $pair = Duplex::Pair->new(backends => 2)->start();
my @nodes = map { $_->address('api') } $pair->nodes();
my ($first, $second) = map { $_->address() } $pair->backends();

my $socket = Duplex::Directory::make('tmux') . '/s';
my @tmux = ('tmux', '-S', $socket, '-f', '/dev/null');
my $ctl = Duplex::Cli::binary() . " -n $nodes[0] -n $nodes[1]";

tmux('new-session', '-d', '-x', 80, '-y', 24,
     'env -u DUPLEXCTL_NODE -u NO_COLOR PS1="prompt> " sh');

type("$ctl top");
happens { screen() =~ /^\Q$nodes[0]\E ready, \Q$nodes[1]\E ready/ } 10, 'top: nodes';

my $text = screen();
like($text, qr/^2 servers, \d+ requests\/s, .* by traffic$/m, 'a summary');
like($text, qr/^UPSTREAM +SERVER +STATE +CONNS +REQ\/S +5XX\/S +LATENCY$/m, 'headings');
like($text, qr/^app +\Q$first\E +up +\d+ +\d+\.\d +\d+\.\d +\S+$/m, 'a server');
is((grep { length > 80 } split /\n/, $text), 0, 'all of it in 80 columns');
like(screen('-e'), qr/\033\[32mup/, 'in colours');

type('s', 1);
happens { screen() =~ / by latency$/m } 5, 's: next order';
type('r', 1);
happens { screen() =~ / by latency \(reversed\)$/m } 5, 'r: reversed';

type('/', 1);
type($second);
happens { screen() =~ /^filter: \Q$second\E$/m && screen() !~ /^app +\Q$first\E/m } 5,
    '/: a filter';

tmux('resize-window', '-x', 120, '-y', 30);
happens { screen() =~ /^UPSTREAM {11}SERVER {19}STATE/m } 5, 'a larger window';
tmux('resize-window', '-x', 80, '-y', 5);
happens { (() = screen() =~ /\n/g) <= 5 && screen() =~ /^\Q$nodes[0]\E ready/ } 5,
    'a very small one';
tmux('resize-window', '-x', 80, '-y', 24);

$pair->a()->patch_peer('app', $second, { drain => true });
happens { screen() =~ /^app +\Q$second\E +draining /m } 5, 'a change is seen';

type('q', 1);
happens { screen() =~ /prompt> $/m || screen() =~ /prompt>\s*\z/ } 5, 'q: the end';
type('stty -a | grep -c -e "-echo "');
happens { screen() =~ /^0$/m } 5, 'the terminal is as before';

type("$ctl peer list app --watch=200ms");
happens { screen() =~ /^app +\Q$second\E +draining /m } 10, 'peer list --watch';
$pair->a()->patch_peer('app', $second, { drain => false });
happens { screen() =~ /^app +\Q$second\E +up /m } 5, 'sees the change';

my $before = screen();
$pair->a()->stop();
happens { screen() =~ /no connection/ || screen() =~ /^app +\Q$second\E +up /m } 5,
    'and goes on when a node is gone';

tmux('kill-server');
done_testing();


sub tmux {
    delete local $ENV{TMUX};
    system(@tmux, @_) == 0 or die "tmux @_\n";
}


sub screen {
    my (@options) = @_;
    delete local $ENV{TMUX};
    open(my $out, '-|', @tmux, 'capture-pane', '-p', @options) or die "tmux: $!\n";
    local $/;
    return <$out> // '';
}


# a line, or a single key
sub type {
    my ($keys, $key) = @_;
    tmux('send-keys', '-l', $keys);
    tmux('send-keys', 'Enter') if !$key;
}


END {
    local $?;
    system("tmux -S $socket kill-server 2>/dev/null") if $socket && -S $socket;
}
