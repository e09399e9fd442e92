package Duplex::Client;

# What a test asks over HTTP: single requests, raw bytes, the API.

use strict;
use warnings;

use Duplex::Connection;
use Exporter qw/import/;
use JSON::PP ();

our @EXPORT = qw/get request raw api_get api_patch api_call/;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;


# get("127.0.0.1:8080", "/", cookie => "sid=x", headers => {...}):
# an answer as Duplex::Connection gives it
sub get {
    my ($address, $uri, %args) = @_;
    return request($address, 'GET', $uri, %args);
}


# "body" and "from" (a local address) are known, too
sub request {
    my ($address, $method, $uri, %args) = @_;

    my $connection = Duplex::Connection->new($address, %args);
    return $connection->request($method, $uri, %args, close => 1);
}


# all bytes that were answered, and whether the other side closed
sub raw {
    my ($address, $bytes, %args) = @_;

    my $connection = Duplex::Connection->new($address, %args);
    my $answer = $connection->raw($bytes);

    return wantarray ? ($answer, $connection->was_closed()) : $answer;
}


# (status, what the JSON says); the text itself if it is not JSON
sub api_get {
    my ($address, $path) = @_;
    return api_call($address, 'GET', $path);
}


sub api_patch {
    my ($address, $path, $data) = @_;
    return api_call($address, 'PATCH', $path, $data);
}


sub api_call {
    my ($address, $method, $path, $data) = @_;

    my %args = defined $data ? (body => $json->encode($data),
        headers => { 'Content-Type' => 'application/json' }) : ();

    my $r = request($address, $method, $path, %args);
    return (0, $r->{error}) if !$r->{status};

    my $decoded = eval { $json->decode($r->{body}) };
    return ($r->{status}, defined $decoded ? $decoded : $r->{body});
}


1;
