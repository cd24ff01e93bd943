# Visits the ports it is given in turn, for ever, and says what it was told.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
$SIG{TERM} = sub { exit 0 };
while (1) {
    for my $port (@ARGV) {
        if (my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 2)) {
            print $server "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
            my @answer = <$server>;
            print $answer[-1] // "port $port said nothing\n";
        } else {
            print "port $port does not answer: $!\n";
        }
        sleep 2;
    }
}
