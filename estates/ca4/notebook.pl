# Posts metadata of one image after the other to the address that it is given. What is not acknowledged is sent again, as it was: it is stored once all the same.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
$SIG{TERM} = sub { exit 0 };
my $address = shift or die "usage: notebook.pl HOST:PORT\n";
my $begun   = time;
my $every   = $ENV{EVERY} // 2;
my $model   = 'clip-vit-l-14';
until (post(qq({"specversion":"1.0","id":"$begun","source":"/notebook","type":"notebook.started","data":{"model":"$model","every":$every}}), 'application/cloudevents+json')) { sleep 1 }
for (my $image = 1;; $image++) {
    my $document = extract($image);
    until (post($document)) { sleep 1 }
    sleep($every);
}

# What a GPU would find out: an embedding of the image, and what the driver says about itself.
sub extract {
    my $image     = shift;
    my $embedding = join ',', map { sprintf '%.4f', sin($image * $_) } 1 .. 768;
    my $allocated = 1_000_000 * $image;
    return qq({"metadata_id":"image-$begun-$image","source_uri":"gs://ca4/images/$image.png","embedding":[$embedding],)
        . qq("gpu_hardware":{"device_name":"Tesla T4","total_memory":15835660288,"allocated_memory":$allocated,)
        . qq("compute_capability":"7.5","cuda_version":"12.1","pytorch_version":"2.3.0"},"extra":{"model":"$model"}});
}

sub post {
    my ($body, $type) = (shift, shift // 'application/json');
    my $server = IO::Socket::INET->new(PeerAddr => $address, Timeout => 5);
    if (!$server) {
        print "$address does not answer: $!\n";
        return 0;
    }
    print $server "POST /metadata HTTP/1.1\r\nHost: $address\r\nContent-Type: $type\r\nContent-Length: " . length($body)
        . "\r\nConnection: close\r\n\r\n$body";
    my ($status, $receipt) = ('no answer', '');
    while (my $line = <$server>) {
        $status  = $1 if $line =~ m{^HTTP/1\.1 (\d+)};
        $receipt = $1 if $line =~ m{"receipt":\{"id":"([^"]+)"};
    }
    print $status eq '202' ? "accepted: receipt $receipt\n" : "not accepted: $status\n";
    # What is wrong with a document does not get better by sending it again.
    return $status =~ /^(202|4\d\d)$/;
}
