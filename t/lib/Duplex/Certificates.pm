package Duplex::Certificates;

# Certificates of a test: an authority of its own, made with openssl.
#
#     my $ca = Duplex::Certificates->new();
#     $ca->issue($dir, 'a', 'a.example');     $dir/a.crt, $dir/a.key
#     $ca->file                               the authority's certificate
#     $ca->revoke("$dir/a.crt");
#     $ca->list                               its revocation list
#
# Options of issue(): addresses => [...], password => '...', expired => 1

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;

my $n = 0;


sub new {
    my ($class, %args) = @_;

    my $dir = Duplex::Directory::make('ca');
    my $self = bless { dir => $dir, name => 'authority ' . ++$n }, $class;

    $self->_write('ca.conf', <<"EOC");
[ca]
default_ca = self

[self]
database = $dir/index
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.crt
private_key = $dir/ca.key
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
copy_extensions = copy
unique_subject = no

[any]
commonName = supplied

[req]
distinguished_name = any

EOC

    $self->_write('index', '');
    $self->_write($_, "1000\n") for 'serial', 'crlnumber';

    $self->_openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256"
        . " -nodes -days 2 -subj '/CN=$self->{name}'"
        . " -addext basicConstraints=critical,CA:TRUE"
        . " -keyout $dir/ca.key -out $dir/ca.crt");

    $self->_list();

    return $self;
}


sub file { return "$_[0]{dir}/ca.crt" }
sub list { return "$_[0]{dir}/ca.crl" }


sub issue {
    my ($self, $to, $file, $name, %args) = @_;

    my @names = ("DNS:$name", map { "IP:$_" } @{$args{addresses} || []});
    my $names = join ',', @names;
    my $secret = $args{password} ? "-passout 'pass:$args{password}'" : '-nodes';

    $self->_openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256"
        . " $secret -subj '/CN=$name' -addext subjectAltName=$names"
        . " -keyout $to/$file.key -out $self->{dir}/$file.csr");

    my $dates = $args{expired}
        ? '-startdate 20200101000000Z -enddate 20210101000000Z' : '';

    $self->_openssl("ca -batch -notext $dates -in $self->{dir}/$file.csr"
                    . " -out $to/$file.crt");
}


sub revoke {
    my ($self, $file) = @_;

    $self->_openssl("ca -revoke $file");
    $self->_list();
}


sub _list {
    my ($self) = @_;
    $self->_openssl("ca -gencrl -out $self->{dir}/ca.crl");
}


sub _openssl {
    my ($self, $command) = @_;

    my $conf = "-config $self->{dir}/ca.conf";
    my ($verb, $rest) = split / /, $command, 2;

    my $said = `openssl $verb $conf $rest 2>&1`;
    croak "openssl $command: $said" if $?;
}


sub _write {
    my ($self, $name, $text) = @_;

    open(my $f, '>', "$self->{dir}/$name") or croak "$name: $!";
    print $f $text;
    close($f) or croak "$name: $!";
}


1;
