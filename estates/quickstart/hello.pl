# A web server in a few lines. /health says that it is well, /crash ends it badly, anything else is greeted.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my ($port, $visits) = ($ENV{PORT} || 7080, 0);
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "cannot listen on port $port: $!\n";

open my $file, '<', $ENV{PASSWORD_FILE} or die "no password: $!\n";
chomp(my $password = <$file>);

$SIG{TERM} = sub { print "goodbye after $visits visits\n"; exit 0 };
$SIG{HUP} = sub { print "read the configuration again\n" };
print "listening on port $port; whoever says '$password' may enter\n";

while (1) {
    my $client = $server->accept or next;    # a signal interrupts accept
    my $request = <$client> // '';
    while (defined(my $header = <$client>)) { last if $header =~ /^\r?$/ }
    my ($path) = $request =~ m{^GET (\S+)} or next;
    if ($path eq '/crash') { warn "crashed because somebody asked for it\n"; exit 1 }
    $visits++ if $path ne '/health';
    my $body = $path eq '/health' ? "well\n" : "$ENV{GREETING}, copy $ENV{STOKER_REPLICA} on port $port, visit $visits\n";
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ", length $body, "\r\n\r\n$body";
}
