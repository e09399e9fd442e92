package Duplex::Browser;

# A page in Debian's chromium, without a display, asked over a pipe (its
# --remote-debugging-pipe): one JSON message after the other, each ends in \0.
#
#     my $page = Duplex::Browser->open("http://127.0.0.1:8081/", width => 400);
#     $page->js('document.title')          # the value, also of a promise
#     $page->key('Tab')                    # as if typed
#     $page->click('#ask-yes')             # where a person would click
#     $page->screenshot("$file.png")
#     $page->complaints()                  # the console's errors and warnings
#
# "dark" asks for the dark colours, "tick" is called while it waits.

use strict;
use warnings;

use Carp qw/croak/;
use Duplex::Directory;
use Duplex::Process;
use Duplex::Wait;
use IO::Select;
use JSON::PP ();
use MIME::Base64 qw/decode_base64/;
use POSIX ();
use Time::HiRes qw/time/;

my $json = JSON::PP->new->utf8->allow_nonref;


sub is_there {
    return -x '/usr/bin/chromium';
}


sub open {
    my ($class, $url, %args) = @_;

    pipe(my $their_in, my $in) or croak "pipe: $!";
    pipe(my $out, my $their_out) or croak "pipe: $!";
    binmode $_ for $in, $out;

    my $profile = Duplex::Directory::make('browser');

    my $process = Duplex::Process->start(name => 'chromium', code => sub {
        # its messages go over file descriptors 3 and 4; from beyond first

        POSIX::dup2(fileno $their_in, 20);
        POSIX::dup2(fileno $their_out, 21);
        POSIX::dup2(20, 3);
        POSIX::dup2(21, 4);
        POSIX::close($_) for 20, 21;

        CORE::open STDIN, '<', '/dev/null';
        CORE::open STDOUT, '>', "$profile/log";
        CORE::open STDERR, '>&', \*STDOUT;

        exec '/usr/bin/chromium', '--headless', '--no-sandbox',
             '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
             '--disable-background-networking', '--disable-extensions',
             '--disable-component-update', '--no-proxy-server',
             '--remote-debugging-pipe', "--user-data-dir=$profile",
             'about:blank';
    });

    CORE::close $their_in;
    CORE::close $their_out;
    $in->autoflush(1);

    my $self = bless {
        process => $process, in => $in, out => $out, profile => $profile,
        buffer => '', id => 0, complaints => [], requests => [],
    }, $class;

    local $SIG{PIPE} = 'IGNORE';

    my $target = $self->_call('Target.createTarget', url => 'about:blank');
    $self->{session} = $self->_call('Target.attachToTarget',
        targetId => $target->{targetId},
        flatten => JSON::PP::true)->{sessionId};

    $self->_call("$_.enable") for qw/Page Runtime Log Network/;

    $self->_call('Emulation.setDeviceMetricsOverride',
        width => $args{width} || 1400, height => $args{height} || 900,
        deviceScaleFactor => 1, mobile => JSON::PP::false);
    $self->_call('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme',
          value => $args{dark} ? 'dark' : 'light' } ]);

    $self->go($url);

    return $self;
}


sub go {
    my ($self, $url) = @_;

    delete $self->{loaded};
    $self->_call('Page.navigate', url => $url);
    $self->_until(sub { $self->{loaded} }, "$url is loaded");

    return;
}


# the value of an expression, a promise's when it has one
sub js {
    my ($self, $expression) = @_;

    my $r = $self->_call('Runtime.evaluate', expression => $expression,
                         returnByValue => JSON::PP::true,
                         awaitPromise => JSON::PP::true);

    croak "$expression: $r->{exceptionDetails}{exception}{description}"
        if $r->{exceptionDetails};

    return $r->{result}{value};
}


sub click {
    my ($self, $selector) = @_;

    my $at = $self->js('(() => { const e = document.querySelector('
        . $json->encode($selector) . '); if (!e) return null;'
        . 'e.scrollIntoView({ block: "center" });'
        . 'const r = e.getBoundingClientRect();'
        . 'return [r.x + r.width / 2, r.y + r.height / 2]; })()');

    croak "nothing to click: $selector" if !$at;

    for my $type (qw/mousePressed mouseReleased/) {
        $self->_call('Input.dispatchMouseEvent', type => $type,
                     x => $at->[0], y => $at->[1], button => 'left',
                     clickCount => 1);
    }

    return;
}


sub key {
    my ($self, $key) = @_;

    my %code = (Tab => 9, Enter => 13, Escape => 27);
    my %text = (Enter => "\r");

    for my $type (qw/keyDown keyUp/) {
        $self->_call('Input.dispatchKeyEvent', type => $type, key => $key,
                     code => $key, windowsVirtualKeyCode => $code{$key},
                     $type eq 'keyDown' && $text{$key}
                         ? (text => $text{$key}) : ());
    }

    return;
}


sub type {
    my ($self, $text) = @_;
    return $self->_call('Input.insertText', text => $text);
}


sub screenshot {
    my ($self, $file) = @_;

    my $r = $self->_call('Page.captureScreenshot', format => 'png');

    CORE::open(my $fh, '>:raw', $file) or croak "$file: $!";
    print $fh decode_base64($r->{data});
    CORE::close $fh or croak "$file: $!";

    return;
}


sub complaints {
    my ($self) = @_;

    $self->js('1');

    return @{$self->{complaints}};
}


# what the page has asked for
sub requests {
    return @{$_[0]{requests}};
}


sub close {
    my ($self) = @_;
    $self->{process}->kill_group();
    return;
}


sub _call {
    my ($self, $method, %params) = @_;

    my $id = ++$self->{id};
    my %message = (id => $id, method => $method, params => \%params);

    $message{sessionId} = $self->{session} if $self->{session};

    syswrite($self->{in}, $json->encode(\%message) . "\0")
        or croak "chromium is gone: $!";

    $self->_until(sub { $self->{answers}{$id} }, $method);

    my $answer = delete $self->{answers}{$id};

    croak "$method: $answer->{error}{message}" if $answer->{error};

    return $answer->{result};
}


sub _until {
    my ($self, $done, $what) = @_;

    my $select = IO::Select->new($self->{out});
    my $end = time() + 60 * ($ENV{DUPLEX_SLOW} || 1);

    while (!$done->()) {

        croak "chromium: no answer: $what" if time() > $end;

        next if !$select->can_read(1);

        sysread($self->{out}, $self->{buffer}, 65536, length $self->{buffer})
            or croak "chromium has closed: $what: " . $self->_log();

        while ($self->{buffer} =~ s/^([^\0]*)\0//) {
            $self->_message($json->decode($1));
        }
    }

    return;
}


sub _message {
    my ($self, $m) = @_;

    if ($m->{id}) {
        $self->{answers}{$m->{id}} = $m;
        return;
    }

    my ($method, $p) = @$m{qw/method params/};

    if ($method eq 'Page.loadEventFired') {
        $self->{loaded} = 1;

    } elsif ($method eq 'Network.requestWillBeSent') {
        push @{$self->{requests}}, $p->{request}{url};

    } elsif ($method eq 'Runtime.exceptionThrown') {
        push @{$self->{complaints}}, $p->{exceptionDetails}{text} . ' '
            . ($p->{exceptionDetails}{exception}{description} || '');

    } elsif ($method eq 'Runtime.consoleAPICalled') {
        push @{$self->{complaints}}, join ' ', $p->{type},
            map { $_->{value} // $_->{description} // '' } @{$p->{args}};

    } elsif ($method eq 'Log.entryAdded') {
        push @{$self->{complaints}}, join ' ', $p->{entry}{level},
            $p->{entry}{text}, $p->{entry}{url} || '';
    }

    return;
}


sub _log {
    my ($self) = @_;

    CORE::open(my $fh, '<', "$self->{profile}/log") or return '';
    local $/;

    return substr(<$fh>, -2000);
}


1;
