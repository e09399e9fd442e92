package Duplex::Names;

# A name server of a test: records that it may change at any time.
#
#     my $names = Duplex::Names->new();
#     $names->set('nodes.example', '127.0.0.11', '::1');       A and AAAA
#     $names->set('_http._tcp.example', 'be1.example 8080 10 5');
#                       SRV: target, port, priority 10, weight 5
#     $names->set('broken.example', 'servfail');
#     $names->set('silent.example', 'silent');
#     $names->address()                          for "resolver"
#
# Answers are valid for a second.  A name that was never set does not exist,
# nor does one that was set to "nxdomain".

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;
use Duplex::Raw;
use Socket qw/AF_INET6 inet_aton inet_pton/;


sub new {
    my ($class) = @_;

    my $dir = Duplex::Directory::make('names');
    my $self = bless { dir => $dir }, $class;

    $self->{address} = Duplex::Raw::udp('names', sub { _answer($dir, @_) });

    return $self;
}


sub address { return $_[0]{address} }


sub set {
    my ($self, $name, @addresses) = @_;

    open(my $f, '>', "$self->{dir}/new") or croak "$name: $!";
    print $f map { "$_\n" } @addresses;
    close($f) or croak "$name: $!";

    rename("$self->{dir}/new", "$self->{dir}/$name") or croak "$name: $!";
}


sub _answer {
    my ($dir, $query) = @_;

    my ($id) = unpack 'n', $query;
    my ($pos, @labels) = (12);

    while (my $len = ord substr $query, $pos, 1) {
        push @labels, substr $query, $pos + 1, $len;
        $pos += 1 + $len;
    }

    my $type = unpack 'n', substr $query, $pos + 1, 2;
    my $question = substr $query, 12, $pos + 5 - 12;
    my $name = join '.', @labels;

    my @lines = _lines("$dir/$name");

    return () if "@lines" eq 'silent';
    return pack('n6', $id, 0x8182, 1, 0, 0, 0) . $question
        if "@lines" eq 'servfail';
    return pack('n6', $id, 0x8183, 1, 0, 0, 0) . $question
        if !@lines || "@lines" eq 'nxdomain';

    my @answers = map { _record($type, $_) } @lines;

    return pack('n6', $id, 0x8180, 1, scalar @answers, 0, 0) . $question
           . join '', @answers;
}


# "empty" exists, and has no record
sub _lines {
    my ($file) = @_;

    open(my $f, '<', $file) or return;
    chomp(my @lines = <$f>);
    return @lines ? @lines : 'empty';
}


sub _record {
    my ($type, $line) = @_;

    my ($target, $port, $priority, $weight) = split ' ', $line;

    my $data = $type == 1 && $target =~ /^[\d.]+$/ ? inet_aton($target)
             : $type == 28 && $target =~ /:/ ? inet_pton(AF_INET6, $target)
             : $type == 33 && defined $port
                 ? pack('n3 (C/a)*', $priority, $weight, $port,
                        split(/\./, $target), '')
             : return;

    return pack('n n n N n/a', 0xc00c, $type, 1, 1, $data);
}


1;
