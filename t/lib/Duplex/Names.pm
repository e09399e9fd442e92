package Duplex::Names;

# A name server of a test: A records that it may change at any time.
#
#     my $names = Duplex::Names->new();
#     $names->set('nodes.example', '127.0.0.11', '127.0.0.12');
#     $names->address()                          for "resolver"
#
# Answers are valid for a second.  A name that was never set does not exist.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;
use Duplex::Raw;


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

    open(my $f, '<', "$dir/$name")
        or return pack('n6', $id, 0x8183, 1, 0, 0, 0) . $question;

    my @answers = $type == 1 ? map {
        chomp;
        pack 'n n n N n C4', 0xc00c, 1, 1, 1, 4, split /\./
    } <$f> : ();

    return pack('n6', $id, 0x8180, 1, scalar @answers, 0, 0) . $question
           . join '', @answers;
}


1;
