package Duplex::Demo::Sessions;

# Sessions that the demo has opened: the cookie "sid" of each, and its home,
# the server whose own log says that it has set this cookie.
#
# Many requests go pipelined over one connection, BATCH of them.

use strict;
use warnings;

use Duplex::Client ();

use constant BATCH => 250;


# "progress" is told in words what has been done so far
sub new {
    my ($class, $stage, $progress) = @_;

    return bless { stage => $stage, progress => $progress,
                   home => {}, order => [] }, $class;
}


# "n" more of them, a batch through each node in turn; the sids
sub open {
    my ($self, $n, $uri, @nodes) = @_;

    my $stage = $self->{stage};
    my @sids;

    while (@sids < $n) {
        my $batch = $n - @sids < BATCH ? $n - @sids : BATCH;
        my $bytes = _send($nodes[0], $uri, (undef) x $batch);
        my @opened = $bytes =~ /^Set-Cookie: sid=(\w+)/mg;

        die "$batch requests through node " . $nodes[0]->name() . ' opened '
            . @opened . " sessions\n" if @opened != $batch;

        push @sids, @opened;
        push @nodes, shift @nodes;

        $self->{progress}->(@sids . " of $n sessions opened");
    }

    for my $request ($stage->wait_requests($uri, $n)) {
        $self->{home}{$request->{sid}} = $request->{server}
            if $request->{new};
    }

    push @{$self->{order}}, @sids;

    return @sids;
}


# all bytes of the answers
sub _send {
    my ($node, $uri, @sids) = @_;

    my $last = pop @sids;
    my $address = $node->address('front');

    my $bytes = join '', (map { _request($address, $uri, $_) } @sids),
                         _request($address, $uri, $last, "close");

    return Duplex::Client::raw($address, $bytes);
}


sub _request {
    my ($address, $uri, $sid, $connection) = @_;

    return "GET $uri HTTP/1.1\r\nHost: $address\r\n"
         . (defined $sid ? "Cookie: sid=$sid\r\n" : '')
         . ($connection ? "Connection: $connection\r\n" : '') . "\r\n";
}


sub home { return $_[0]{home}{$_[1]} }


# all of them, or those of one server
sub sids {
    my ($self, $server) = @_;

    return grep { !defined $server || $self->{home}{$_} eq $server }
           @{$self->{order}};
}


# "s1 20, s2 20, s3 20"
sub spread {
    my ($self, @sids) = @_;

    my %n;
    $n{$self->{home}{$_}}++ for @sids;

    return join ', ', map { "$_ " . ($n{$_} || 0) }
                      map { $_->name() } $self->{stage}->servers();
}


# One request of each through "node"; by the servers' logs: { sent, failed,
# home => at the server where it was before, moved }.
sub go_on {
    my ($self, $node, $uri, @sids) = @_;

    my $stage = $self->{stage};
    my %count = (sent => scalar @sids, failed => scalar @sids, home => 0,
                 moved => 0);

    my @left = @sids;

    while (my @batch = splice @left, 0, BATCH) {
        my $bytes = _send($node, $uri, @batch);
        $count{failed} -= () = $bytes =~ m{^HTTP/1\.1 200 }mg;

        $self->{progress}->(@sids - @left . " of $count{sent} sessions tried "
                            . 'through node ' . $node->name());
    }

    for my $request ($stage->wait_requests($uri, @sids - $count{failed})) {
        $count{$request->{server} eq $self->{home}{$request->{sid}}
               ? 'home' : 'moved'}++;
    }

    return \%count;
}


1;
