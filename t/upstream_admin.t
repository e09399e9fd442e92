#!/usr/bin/perl

# The administrator's word is in force at once in all workers, after reloads,
# and for nothing but what it says: primaries, backups, single servers; with
# every balancer; and it is told once.

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;


my %b = map { $_ => Duplex::Backend->new(name => $_) } qw/a b c/;

my %balancers = (
    rr => '', least => 'least_conn;', hash => 'hash $arg_x;',
    chash => 'hash $arg_x consistent;', iphash => 'ip_hash;',
    random => 'random;', two => 'random two;',
);

my $upstreams = join '', map { <<"EOU" } sort keys %balancers;
    upstream $_ {
        zone $_ 64k;
        $balancers{$_}
        server %%a%% route=a;
        server %%b%% route=b;
        sticky route \$arg_r;
    }
EOU

my $node = Duplex::Node->new(
    vars => { map { $_ => $b{$_}->address() } keys %b },
    conf => <<"EOC",
%%MAIN%%
worker_processes 3;

events {
}

http {
    %%HTTP%%

$upstreams

    upstream single {
        zone single 64k;
        server %%a%% route=a;
        sticky route \$arg_r;
    }

    upstream backup {
        zone backup 64k;
        server %%c%% backup route=c;
        server %%a%%;
        server %%b%% backup down;
        sticky route \$arg_r;
    }

    upstream equal {
        zone equal 64k;
        server %%a%% backup;
        server %%a%%;
        server %%a%%;
        server %%b%%;
    }

    upstream tries {
        zone tries 64k;
        server %%a%% max_fails=0;
        server %%b%% max_fails=0;
        server %%c%% down;
    }

    upstream file {
        zone file 64k;
        server %%a%% drain route=a;
        server %%b%% route=b;
        sticky route \$arg_r;
    }

    upstream nozone {
        server %%a%% drain route=a;
        server %%b%% down route=b;
        server %%c%% route=c;
        sticky route \$arg_r;
    }

    server {
        listen %%LISTEN_front%%;
        location ~ ^/(\\w+) { proxy_pass http://\$1; }
    }

    server {
        listen %%LISTEN_api%%;
        location /api { api write=on; }
    }
}
EOC
);

$node->start();


my $x = 0;

sub seen {
    my ($group, $query, $n) = @_;

    my %seen;

    for (1 .. $n || 12) {
        my $r = $node->get("/$group?x=" . $x++ . ($query || ''));
        $seen{$r->{headers}{'x-backend'} || $r->{status}} = 1;
    }

    return join ' ', sort keys %seen;
}

sub patch {
    my ($group, $id, %what) = @_;

    my ($status) = api_patch($node->address('api'),
        "/api/9/http/upstreams/$group/servers/$id",
        { map { $_ => $what{$_} ? true : false } keys %what });

    is($status, 200, "PATCH $group/$id") if $status != 200;
}

sub peer {
    my ($group, $id) = @_;
    my ($status, $all) = api_get($node->address('api'),
                                 "/api/9/http/upstreams/$group");
    return (grep { $_->{id} == $id } @{$all->{peers}})[0];
}


# down, for each balancer, before and after a reload

for my $group (sort keys %balancers) {
    like(seen($group, '', $group eq 'iphash' ? 1 : 30), qr/^a|b|a b$/,
         "$group: before");

    patch($group, 1, down => 1);
    is(seen($group, '', 20), 'a', "$group: b is down");
    is(seen($group, '&r=b'), 'a', "$group: for its route, too");
}

is(peer('rr', 1)->{state}, 'down', 'the state says so');

$node->reload();

for my $group (sort keys %balancers) {
    is(seen($group, '', 20), 'a', "$group: b is down after a reload");

    patch($group, 1, down => 0);
}

is(peer('rr', 1)->{state}, 'up', 'the state says so');

for my $group (sort keys %balancers) {
    patch($group, 0, down => 1);
    is(seen($group, '', 20), 'b', "$group: b is up, a is down");
    patch($group, 0, down => 0);
}

# draining

patch('rr', 0, drain => 1);
is(peer('rr', 0)->{state}, 'draining', 'a is draining');
is(seen('rr'), 'b', 'nobody new comes');
is(seen('rr', '&r=a'), 'a', 'its own clients stay');
$node->reload();
is(seen('rr'), 'b', 'nobody new comes after a reload');
is(seen('rr', '&r=a'), 'a', 'its own clients stay after a reload');

# a draining server that fails leaves its client to the others

$b{a}->refuse();
is(seen('rr', '&r=a', 1), 'b', 'a draining server is retried elsewhere');
$b{a}->accept();

patch('rr', 0, down => 1);
is(seen('rr', '&r=a'), 'b', 'down is more than draining');
patch('rr', 0, down => 0);
is(seen('rr', '&r=a'), 'a', 'up again, and its failure forgotten');

# told once, by whoever applied it

my $mark = $node->mark();
my $name = $b{a}->address();

# a worker that is held up tells of where it ended only: one after the other

for ([ draining => drain => 1 ], [ down => down => 1 ], [ up => down => 0 ]) {
    my ($state, @change) = @$_;

    patch('rr', 0, @change);
    $node->wait_log(qr/peer "$name" .* is now $state:/, 5, $mark);
}

for my $state ('draining', 'down', 'up') {
    my @told = $node->grep_log(qr/\[notice\].* peer "$name" in upstream "rr" /,
                               $mark);
    is(scalar(grep { /is now $state: administrator$/ } @told), 1,
       "told once: $state") or diag(join "\n", @told);
}

# the file's own words, and the administrator's over them

is(seen('file'), 'b', 'drain in the file');
is(seen('file', '&r=a'), 'a', 'drain in the file, its own clients');
is(peer('file', 0)->{state}, 'draining', 'drain in the file, the state');
patch('file', 0, drain => 0);
is(seen('file'), 'a b', 'drain in the file, overruled');

is(seen('nozone'), 'c', 'without a zone the file counts, too');
is(seen('nozone', '&r=a'), 'a', 'without a zone: draining');
is(seen('nozone', '&r=b'), 'c', 'without a zone: down');

# a single server

patch('single', 0, down => 1);
is(seen('single'), 502, 'a single server is down');
is(seen('single', '&r=a'), 502, 'a single server is down for its route');
patch('single', 0, drain => 1);
is(seen('single'), 502, 'a single server is draining');
is(seen('single', '&r=a'), 'a', 'a single server is draining, its own');
patch('single', 0, down => 0);
is(seen('single'), 'a', 'a single server is up');

# backups: their turn comes with the last primary, and not by a route

is(seen('backup'), 'a', 'the primary');
is(seen('backup', '&r=c'), 'a', 'no route leads past the primary');
patch('backup', 1, down => 1);
is(seen('backup'), 'c', 'the backup');
patch('backup', 2, down => 0);
is(seen('backup'), 'b c', 'both backups');
patch('backup', 1, down => 0);
is(seen('backup'), 'a', 'the primary again');

# of equal lines each is its own

patch('equal', 1, down => 1);
patch('equal', 3, down => 1);
is(peer('equal', $_)->{state}, $_ & 1 ? 'down' : 'up', "equal: $_")
    for 0 .. 3;
is(seen('equal'), 'a', 'equal: the other one serves');
patch('equal', 2, down => 1);
is(seen('equal'), 'a', 'equal: the backup serves');
patch('equal', 0, down => 1);
is(seen('equal'), 502, 'equal: nobody serves');
patch('equal', $_, down => 0) for 0 .. 3;

# a server that came up counts as a try

$b{$_}->refuse() for qw/a b/;
patch('tries', 2, down => 0);
is(seen('tries', '', 6), 'c', 'two refuse, the third had been down');
patch('tries', 2, down => 1);
is(seen('tries', '', 2), 502, 'and down again');
$b{$_}->accept() for qw/a b/;

done_testing();
