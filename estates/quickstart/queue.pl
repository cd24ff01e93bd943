# Works off a queue that never ends, and tells its supervisor about it with systemd's sd_notify protocol.
use strict;
use warnings;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM pack_sockaddr_un);

$| = 1;
my $address = $ENV{NOTIFY_SOCKET} or die "nobody to notify: NOTIFY_SOCKET is not set\n";
$address =~ s/^@/\0/;
socket(my $socket, Socket::PF_UNIX(), SOCK_DGRAM, 0) or die "no socket: $!\n";
sub notify { send($socket, join("\n", @_), 0, pack_sockaddr_un($address)) or warn "cannot notify: $!\n" }

my $done = 0;
$SIG{TERM} = sub { notify('STOPPING=1'); print "stopped after $done jobs\n"; exit 0 };

print "sorting the queue\n";
sleep 1;
notify('READY=1', 'STATUS=waiting for jobs');
while (1) {
    sleep 3;
    $done++;
    print "job $done is done\n";
    notify('WATCHDOG=1', "STATUS=$done jobs done");
}
