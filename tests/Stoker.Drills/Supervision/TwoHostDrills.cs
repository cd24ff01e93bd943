using System.Diagnostics;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Supervision;

/// <summary>The same file on two machines (two network namespaces), and a link between them that is cut.</summary>
public sealed class TwoHostDrills
{
    private const string Server =
        "perl -MIO::Socket::INET -e 'my $$s=IO::Socket::INET->new(LocalAddr=>\"0.0.0.0\",LocalPort=>7300,Listen=>5,ReuseAddr=>1) or die; while(my $$c=$$s->accept){my $$l=<$$c>; print $$c \"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\"; close $$c}'";

    [Fact]
    public void A_service_waits_for_one_on_the_other_host_and_again_when_the_link_is_cut()
    {
        if (!CanMakeNamespaces(out var why)) Assert.Skip(why);
        using var link = new Link();
        using var main = Host(link.First);
        using var other = new Machine(File.ReadAllText(Path.Combine(main.Directory, "stoker.yaml")));
        foreach (var word in Link.Within(link.Second)) other.Prefix.Add(word);

        main.Start("up", "-d", "--host", "mainpc").Dispose();
        main.Until("the daemon answers", () => main.Run("status").Code == 0);
        main.UntilState("app", "waiting");
        Assert.Contains("db", main.Run("why", "app").Output);

        other.Run("up", "-d", "--host", "pc2").Succeeded();
        Assert.Single(other.Services());
        main.UntilState("app", "running");
        Assert.Single(main.Services());

        link.Cut();
        main.Until("the cut is noticed", () => main.Run("events").Output.Contains("db on pc2: ", StringComparison.Ordinal) && main.Run("events").Output.Contains("no answer", StringComparison.OrdinalIgnoreCase)
            || main.Run("events", "--json").Output.Contains("became_unhealthy", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        Assert.Equal("running", main.StateOf("app"));
        main.Start("restart", "app").Dispose();
        main.UntilState("app", "waiting");
        Assert.Contains("on host pc2", main.Run("why", "app").Output);

        link.Mend();
        main.UntilState("app", "running");
    }

    private static Machine Host(string space)
    {
        var machine = new Machine("""
            name: two
            hosts:
              mainpc: {address: 10.77.13.1}
              pc2: {address: 10.77.13.2}
            services:
              db:
                host: pc2
                command: >-
                  SERVER
                ports: ["7300"]
                healthcheck: {http: "http://127.0.0.1:7300/", interval: 1s, timeout: 1s}
              app:
                host: mainpc
                command: sleep 1000
                depends_on: {db: {condition: service_healthy}}
            """.Replace("SERVER", Server, StringComparison.Ordinal));
        foreach (var word in Link.Within(space)) machine.Prefix.Add(word);
        return machine;
    }

    private static bool CanMakeNamespaces(out string why)
    {
        why = "network namespaces need root and iproute2";
        return Environment.UserName == "root" && Link.Ip("netns", "list") == 0;
    }

    /// <summary>Two namespaces and a cable.</summary>
    private sealed class Link : IDisposable
    {
        private readonly string _suffix = Guid.NewGuid().ToString("n")[..6];

        public Link()
        {
            Assert.Equal(0, Ip("netns", "add", First));
            Assert.Equal(0, Ip("netns", "add", Second));
            Assert.Equal(0, Ip("link", "add", $"va{_suffix}", "netns", First, "type", "veth", "peer", "name", $"vb{_suffix}", "netns", Second));
            foreach (var (space, device, address) in ((string, string, string)[])[(First, $"va{_suffix}", "10.77.13.1/24"), (Second, $"vb{_suffix}", "10.77.13.2/24")])
            {
                Assert.Equal(0, Ip("-n", space, "addr", "add", address, "dev", device));
                Assert.Equal(0, Ip("-n", space, "link", "set", device, "up"));
                Assert.Equal(0, Ip("-n", space, "link", "set", "lo", "up"));
            }
        }

        public string First => $"sa{_suffix}";

        public string Second => $"sb{_suffix}";

        public static IReadOnlyList<string> Within(string space) => ["ip", "netns", "exec", space];

        public void Cut() => Ip("-n", First, "link", "set", $"va{_suffix}", "down");

        public void Mend() => Ip("-n", First, "link", "set", $"va{_suffix}", "up");

        public static int Ip(params string[] words)
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo("ip", words) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                process.WaitForExit();
                return process.ExitCode;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return -1;
            }
        }

        public void Dispose()
        {
            Ip("netns", "delete", First);
            Ip("netns", "delete", Second);
        }
    }
}
