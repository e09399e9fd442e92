#!/usr/bin/perl

# A split names a group by weights that are changed at run time: the same on
# both nodes, only the keys move that must, a bound client stays, and all of
# it outlives reload and restart.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Deploy;
use Duplex::Test;


my $pair = Duplex::Deploy::pair(sticky => 'sticky cookie pool path=/ httponly;');
my ($a, $b) = $pair->nodes();
my @keys = map { "k$_" } 1 .. 1000;

is_deeply(Duplex::Deploy::weights($a), { blue => 100, green => 0 }, 'the file');
is(share($a), 0, 'all keys are blue');

my ($status, $split) = Duplex::Deploy::patch($a, 'splits/app?reason=try',
                                             { weights => { green => 10 } });

is($status, 200, 'PATCH');
is_deeply([ map { $_->{weight} } @{$split->{groups}} ], [ 90, 10 ],
          'the other one makes up for it');
is("$split->{source} $split->{client} $split->{reason}", 'api 127.0.0.1 try',
   'who and why');

for my $node ($a, $b) {
    happens { eval { Duplex::Deploy::weights($node)->{green} == 10 } } 5,
        $node->name() . ' knows';
}

sleep 0.3;

my %ten = map { $_ => Duplex::Deploy::where($a, $_) } @keys;
my $n = grep { $_ eq 'green' } values %ten;

cmp_ok(abs($n - 100), '<', 40, "10 % of the keys are green: $n of 1000");
is(differ(\%ten, $b), 0, 'the same ones on the other node');

change($b, 12.34);

my %more = map { $_ => Duplex::Deploy::where($a, $_) } @keys;
is((grep { $ten{$_} eq 'green' && $more{$_} eq 'blue' } @keys), 0,
   'more of it: no key goes back');

change($a, 10);
is(differ(\%ten, $a), 0, 'back to 10 %: the same keys as before');

# a bound client

my $first = $a->get('/where?key=k1');
my ($cookie) = ($first->{headers}{'set-cookie'} // '') =~ /^(pool=\w+); path=\/; httponly$/;

ok($cookie, 'a new client gets a cookie');
is($cookie, 'pool=' . $ten{k1}, 'that says which');

my ($green) = grep { $ten{$_} eq 'green' } @keys;
my $r = $b->get("/where?key=$green", cookie => 'pool=blue');
is($r->{body}, 'app_blue', 'who has one stays, whatever the key, on both nodes');
is($r->{headers}{'set-cookie'}, undef, 'and gets no other');

$r = $b->get("/where?key=$green", cookie => 'pool=red');
is($r->{body}, 'app_green', 'one that names nothing is as none');

change($a, 100);
is($a->get('/where?key=k1', cookie => 'pool=blue')->{body}, 'app_blue',
   'weight 0: bound clients only');
is($a->get('/where?key=k1')->{body}, 'app_green', 'no new ones');

Duplex::Deploy::patch($b, 'splits/app', { closed => [ 'blue' ] });
happens { $a->get('/where?key=k1', cookie => 'pool=blue')->{body} eq 'app_green' }
    5, 'closed: nobody';

# what is refused

for (
    [ 404, 'SplitNotFound', 'splits/none', { weights => {} } ],
    [ 400, 'SplitConfFormatError', 'splits/app', [] ],
    [ 400, 'SplitConfFormatError', 'splits/app', { colour => 1 } ],
    [ 400, 'SplitBadWeight', 'splits/app', { weights => 1 } ],
    [ 400, 'SplitBadWeight', 'splits/app', { weights => { red => 1 } } ],
    [ 400, 'SplitBadWeight', 'splits/app', { weights => { blue => 101 } } ],
    [ 400, 'SplitBadWeight', 'splits/app', { weights => { blue => '1' } } ],
    [ 400, 'SplitBadWeight', 'splits/app', { weights => { blue => 1, green => 1 } } ],
    [ 400, 'SplitBadClosed', 'splits/app', { closed => 'blue' } ],
    [ 400, 'SplitBadClosed', 'splits/app', { closed => [ 'red' ] } ],
    [ 400, 'ReasonTooLong', 'splits/app?reason=' . 'x' x 201, {} ],
) {
    my ($wanted, $code, $path, $data) = @$_;
    my ($is, $answer) = Duplex::Deploy::patch($a, $path, $data);
    is("$is $answer->{error}{code}", "$wanted $code", "$code: $answer->{error}{text}");
}

# reload, restart, a changed file

change($a, 25);
my %before = map { $_ => Duplex::Deploy::where($a, $_) } @keys[0 .. 199];

$a->reload(wait_old => 1);
is(differ(\%before, $a), 0, 'a reload changes nothing');

$_->stop() for $a, $b;
$a->start();
is(differ(\%before, $a), 0, 'nor does a restart of both');

(my $conf = $a->conf()) =~ s/app_blue   100/app_blue   50/;
$conf =~ s/app_green    0/app_green   50/;
$a->configure($conf);
$a->reload(wait_old => 1);
is_deeply(Duplex::Deploy::weights($a), { blue => 50, green => 50 },
          'lines that have changed win');
ok(($a->api_get('/api/duplex/splits/app'))[1]{superseded}, 'and the API says so');

done_testing();


# sets green's weight, and waits until it is in force everywhere
sub change {
    my ($node, $weight) = @_;

    my ($is) = Duplex::Deploy::patch($node, 'splits/app',
        { weights => { green => $weight }, closed => [] });
    die "PATCH: $is\n" if $is != 200;

    for my $other ($a, $b) {
        wait_for { Duplex::Deploy::weights($other)->{green} == $weight } 5,
            'weights on ' . $other->name();
    }

    sleep 0.3;
}


sub share {
    my ($node) = @_;
    return scalar grep { Duplex::Deploy::where($node, $_) eq 'green' } @keys;
}


# keys that are not where they were
sub differ {
    my ($was, $node) = @_;
    return scalar grep { Duplex::Deploy::where($node, $_) ne $was->{$_} } keys %$was;
}
