using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

/// <summary>Signals, users and programs by the names that people write.</summary>
public sealed class NamesTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("term", 15)]
    [InlineData("15", 15)]
    [InlineData("SIGUSR1", 10)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-1", 63)]
    [InlineData("RTMIN", 34)]
    [InlineData("SIGCLD", 17)]
    public void A_signal_is_read_in_every_form_that_is_in_use(string text, int expected)
    {
        Assert.True(Signals.TryParse(text, out var signal));
        Assert.Equal(expected, signal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SIG")]
    [InlineData("SIGNOTHING")]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("-9")]
    [InlineData("RTMIN+31")]
    [InlineData("RTMIN-1")]
    public void What_is_no_signal_is_refused(string text) => Assert.False(Signals.TryParse(text, out _));

    [Fact]
    public void The_name_of_a_signal_is_read_back_as_the_same_signal()
    {
        foreach (var signal in Enumerable.Range(1, 64).Where(number => number is not (32 or 33)))
        {
            Assert.True(Signals.TryParse(Signals.Name(signal), out var read));
            Assert.Equal(signal, read);
        }
    }

    [Fact]
    public async Task Signals_have_the_numbers_that_this_machine_gives_them()
    {
        var text = await _workshop.Output(new LaunchRequest(
            "/bin/bash", ["-c", "for n in $(seq 1 31) 34 37; do echo $n SIG$(kill -l $n); done"], Workshop.PlainEnvironment, "/"));

        Assert.All(
            text.Trim().Split('\n').Select(line => line.Split(' ')),
            pair => Assert.Equal(pair[1], Signals.Name(int.Parse(pair[0]))));
    }

    [Fact]
    public void A_user_by_name_has_its_own_groups()
    {
        Assert.True(Users.TryResolve("root", out var root, out _));
        Assert.Equal((0U, 0U, "root", "/root"), (root.UserId, root.GroupId, root.Name, root.Home));
        Assert.Contains(0U, root.Groups);
    }

    [Theory]
    [InlineData("0", 0, 0)]
    [InlineData("root:daemon", 0, 1)]
    [InlineData("daemon:root", 1, 0)]
    [InlineData("4242:4343", 4242, 4343)]
    [InlineData("4242:daemon", 4242, 1)]
    public void A_user_may_be_given_by_number_and_with_a_group(string text, uint user, uint group)
    {
        Assert.True(Users.TryResolve(text, out var identity, out var problem), problem);
        Assert.Equal((user, group), (identity.UserId, identity.GroupId));
        Assert.Contains(group, identity.Groups);
    }

    [Theory]
    [InlineData("nobody-here", "there is no user `nobody-here` on this host")]
    [InlineData("root:nogroup-here", "there is no group `nogroup-here` on this host")]
    [InlineData("4242", "uid 4242 has no entry on this host, so its group has to be given: `4242:GROUP`")]
    [InlineData("", "there is no user `` on this host")]
    [InlineData("root:", "there is no group `` on this host")]
    public void A_user_that_cannot_be_resolved_is_told_why(string text, string expected)
    {
        Assert.False(Users.TryResolve(text, out _, out var problem));
        Assert.Equal(expected, problem);
    }

    [Fact]
    public void Programs_are_found_along_the_path_and_only_where_they_may_be_executed()
    {
        Files.CreateDirectory(_workshop.PathOf("one/tool"));
        Files.CreateDirectory(_workshop.PathOf("two"));
        Files.CreateDirectory(_workshop.PathOf("three"));
        Files.AtomicWrite(_workshop.PathOf("two/tool"), "");
        Files.AtomicWrite(_workshop.PathOf("three/tool"), "", Files.PrivateDirectory);
        var path = string.Join(':', _workshop.PathOf("one"), _workshop.PathOf("two"), _workshop.PathOf("three"));

        Assert.Equal(_workshop.PathOf("three/tool"), Executables.Find("tool", path, "/"));
        Assert.Equal(_workshop.PathOf("three/tool"), Executables.Find("tool", "/usr/bin::/bin", _workshop.PathOf("three")));
        Assert.Equal(_workshop.PathOf("three/tool"), Executables.Find("./three/tool", null, _workshop.Root));
        Assert.Null(Executables.Find("./two/tool", null, _workshop.Root));
        Assert.Null(Executables.Find("tool", _workshop.PathOf("one"), "/"));
        Assert.EndsWith("/sh", Executables.Find("sh", null, "/"));
    }

    [Fact]
    public void The_host_tells_what_it_is()
    {
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), HostEnvironment.BootId);
        Assert.Equal(Environment.ProcessId, HostEnvironment.ProcessId);
        Assert.InRange(HostEnvironment.TotalMemory, 100_000_000, long.MaxValue);
        Assert.Equal(Environment.GetEnvironmentVariable("PATH"), HostEnvironment.Variable("PATH"));
    }
}
