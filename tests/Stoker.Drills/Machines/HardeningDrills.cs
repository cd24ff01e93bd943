using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Machines;

/// <summary>
/// The layers that Stoker has ready, on a Debian of its own with a neighbour on a wire and a container behind a bridge: applied, broken off and gone on with, tried out from outside, and taken
/// back exactly.
/// </summary>
[Trait("Category", "Slow")]
public sealed class HardeningDrills(VirtualMachine vm) : IClassFixture<VirtualMachine>
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(12);

    private const string Estate = """
        name: hard
        hosts: {machine: {}}
        services:
          web: {command: sleep 1, ports: ["7001"], user: web}
          inner: {command: sleep 1, ports: ["127.0.0.1:7002:7002"]}
        layers:
          base: {use: base-system, with: {packages: [jq]}}
          people: {use: accounts, with: {group: models, directories: ["/srv/models root:models 2775"]}}
          kernel: {use: sysctl, with: {set: ["vm.swappiness=7"]}}
          keys: {use: ssh-keys-only, with: {users: [guest]}}
          wall:
            use: firewall
            with: {open: ["8081"]}
            apply: [{command: {run: "sh -c 'test -e /root/ready && touch /root/done'", unless: test -e /root/done, undo: rm -f /root/done}}]
          # The machine that drives this one had to knock more than once until it was up.
          bans: {use: fail2ban, needs: [wall], with: {tries: "3", never: [10.0.2.2]}}
          updates: {use: security-updates}
        """;

    /// <summary>A neighbour at 10.9.0.2 and a container at 172.30.0.2 behind <c>docker0</c>; a guest with a password and a key; something that listens on four ports.</summary>
    private const string Surroundings = """
        set -e
        printf '[Match]\nName=wire* docker0 card*\n[Link]\nUnmanaged=yes\n' >/etc/systemd/network/05-drill.network
        networkctl reload
        sysctl -qw net.ipv4.ip_forward=1
        systemctl unmask -q apt-daily.timer apt-daily-upgrade.timer
        systemctl enable -q --now apt-daily-upgrade.timer
        ip netns add outside; ip link add wire0 type veth peer name wire1 netns outside
        ip addr add 10.9.0.1/24 dev wire0; ip link set wire0 up
        ip -n outside addr add 10.9.0.2/24 dev wire1; ip -n outside link set wire1 up; ip -n outside link set lo up; ip -n outside route add default via 10.9.0.1
        ip netns add container; ip link add docker0 type bridge; ip addr add 172.30.0.1/24 dev docker0; ip link set docker0 up
        ip link add card0 type veth peer name card1 netns container; ip link set card0 master docker0 up
        ip -n container addr add 172.30.0.2/24 dev card1; ip -n container link set card1 up; ip -n container route add default via 172.30.0.1
        useradd -m -s /bin/bash guest; echo guest:open-sesame | chpasswd
        ssh-keygen -q -t ed25519 -N '' -f /root/guest-key
        install -d -o guest -g guest -m 0700 /home/guest/.ssh; install -o guest -g guest -m 0600 /root/guest-key.pub /home/guest/.ssh/authorized_keys
        printf '#!/bin/sh\necho open-sesame\n' >/root/askpass; chmod 0700 /root/askpass
        cat >/root/listen <<'PERL'
        use IO::Socket::INET; use IO::Select;
        my @doors = map { IO::Socket::INET->new(LocalPort => $_, Listen => 5, ReuseAddr => 1) or die "$_: $!" } @ARGV;
        my $select = IO::Select->new(@doors);
        while (1) { for ($select->can_read) { my $c = $_->accept; close $c } }
        PERL
        setsid perl /root/listen 7001 7002 7003 >/dev/null 2>&1 </dev/null &
        setsid ip netns exec container perl /root/listen 80 >/dev/null 2>&1 </dev/null &
        setsid ip netns exec outside perl /root/listen 7005 >/dev/null 2>&1 </dev/null &
        """;

    /// <summary>Packages, accounts, units, files with owner, mode and content, parameters of the kernel. Left out is what is kept of a purge by Debian's own choice: the user of systemd-timesyncd.</summary>
    private const string Picture = """
        dpkg-query -W -f '${Package} ${Version} ${Status}\n'
        for table in passwd group shadow; do getent $table | cut -d: -f1-4 | grep -v systemd-timesync | sort; done
        systemctl list-unit-files --no-legend --no-pager | awk '{ print $1, $2 }' | sort
        systemctl list-units --no-legend --no-pager --plain --type=service,timer --state=active | awk '{ print $1 }' | grep -Ev '^(session|user@|user-runtime|systemd-tmpfiles|apt-daily|logrotate)' | sort
        sysctl -a 2>/dev/null | grep -E '^(vm.swappiness|fs.protected_|kernel.(kptr|dmesg)_restrict|net.ipv[46].conf.all.(accept_redirects|send_redirects|rp_filter)|net.core.somaxconn)'
        cd /
        places='etc srv/models usr/bin usr/sbin usr/lib/systemd ( -path etc/*- -o -path etc/ld.so.cache -o -path etc/passwd -o -path etc/group -o -path etc/shadow -o -path etc/gshadow ) -prune -o'
        set -f
        find $places -type l -printf '%p -> %l\n' -o -printf '%p %m %u:%g\n' 2>/dev/null | sort
        find $places -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum
        """;

    [Fact]
    public void A_hardened_machine_refuses_what_it_should_serves_what_is_declared_and_is_taken_back_exactly()
    {
        Assert.SkipWhen(VirtualMachine.Missing is not null, VirtualMachine.Missing ?? "");
        vm.Run(Surroundings).Succeeded();
        vm.Write("/root/hard/stoker.yaml", Estate);
        var before = vm.Run(Picture, Long).Succeeded().Output;
        Assert.Equal(0, Password());
        UntilReached("10.9.0.1/7003", "what nobody keeps out");

        vm.Run("mv /home/guest/.ssh/authorized_keys /root/away").Succeeded();
        var refused = Stoker("host layers apply keys");
        Assert.Equal(1, refused.Code);
        Assert.Contains("it would lock the owner out: `guest` has no authorized key", refused.Output, StringComparison.Ordinal);
        vm.Run("mv /root/away /home/guest/.ssh/authorized_keys").Succeeded();
        Assert.Equal(before, vm.Run(Picture, Long).Output);

        var broken = Stoker("host layers apply");
        Assert.Equal(1, broken.Code);
        Assert.Contains("keys  applied", broken.Output, StringComparison.Ordinal);
        Assert.Contains("wall  failed", broken.Output, StringComparison.Ordinal);
        Assert.Contains("not begun: bans, updates", broken.Output, StringComparison.Ordinal);
        vm.Run("touch /root/ready").Succeeded();
        var resumed = Stoker("host layers apply").Succeeded().Output;
        Assert.Contains("keys  applied, was in place", resumed, StringComparison.Ordinal);
        Assert.Contains("updates  applied", resumed, StringComparison.Ordinal);

        AssertBehaviour();

        var again = Stoker("host layers apply").Succeeded().Output;
        Assert.Equal(7, again.Split("applied, was in place").Length - 1);

        Stoker("host layers rollback base people kernel keys wall bans updates").Succeeded();
        vm.Run("rm -f /root/ready").Succeeded();
        Assert.Equal(before, vm.Run(Picture, Long).Output);
        Assert.Equal(0, Password());
        UntilReached("10.9.0.1/7003", "what nobody keeps out");
    }

    private void AssertBehaviour()
    {
        Assert.Equal(0, vm.Run("ip netns exec outside ssh -i /root/guest-key -o BatchMode=yes -o StrictHostKeyChecking=no guest@10.9.0.1 true").Code);
        UntilReached("10.9.0.1/7001", "what a service publishes");
        Assert.False(Reaches("10.9.0.1/7002"), "what a service has for this machine alone");
        Assert.False(Reaches("10.9.0.1/7003"), "what nobody declares");

        // As Docker publishes ports: on their way to a container they never come to the machine's own rules.
        vm.Run("""
            nft -f - <<'NFT'
            table ip published {
              chain prerouting { type nat hook prerouting priority dstnat; iifname != "docker0" tcp dport { 8080, 8081 } dnat to 172.30.0.2:80; }
              chain postrouting { type nat hook postrouting priority srcnat; ip saddr 172.30.0.0/24 oifname != "docker0" masquerade; }
            }
            NFT
            """).Succeeded();
        UntilReached("10.9.0.1/8081", "a container's port that is told");
        Assert.False(Reaches("10.9.0.1/8080"), "a container's port that is not");
        UntilReached("10.9.0.2/7005", "what is outside of a container", "container");
        UntilReached("172.30.0.1/7003", "the host of a container", "container");
        vm.Run("nft delete table ip published").Succeeded();

        for (var i = 0; i < 3; i++) Assert.Equal(255, Password());
        vm.Until("the guesser is banned", "fail2ban-client status sshd | grep -q 'Banned IP list:.*10.9.0.2'", TimeSpan.FromMinutes(3), "fail2ban-client status sshd; tail -n 40 /var/log/fail2ban.log; journalctl --no-pager -n 40 _COMM=sshd");
        Assert.False(Reaches("10.9.0.1/22"), "a banned address");
        vm.Run("fail2ban-client unban 10.9.0.2").Succeeded();
        UntilReached("10.9.0.1/22", "a door that lets in again");
    }

    private Ran Stoker(string words) => vm.Run($"cd /root/hard; stoker {words}", Long);

    private int Password() => vm.Run(
        "SSH_ASKPASS=/root/askpass SSH_ASKPASS_REQUIRE=force ip netns exec outside setsid -w ssh -o PubkeyAuthentication=no -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 -o StrictHostKeyChecking=no guest@10.9.0.1 true").Code;

    /// <summary>Not within five seconds: what is dropped is never answered.</summary>
    private bool Reaches(string place) => vm.Run(Reach(place, "outside")).Code == 0;

    /// <summary>However long an emulated machine takes to answer.</summary>
    private void UntilReached(string place, string what, string from = "outside") => vm.Until($"{what} is reached", Reach(place, from));

    private static string Reach(string place, string from) => $"timeout 5 ip netns exec {from} bash -c 'exec 3<>/dev/tcp/{place}'";
}
