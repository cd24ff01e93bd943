using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class LaunchIdentityTests : IDisposable
{
    private static readonly LaunchRequest Status = new("/bin/cat", ["/proc/self/status"], Workshop.PlainEnvironment, "/");

    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task The_umask_is_the_childs_alone()
    {
        var before = OwnStatus("Umask:");

        Assert.Equal("0027\n", await _workshop.Output(Workshop.Shell("umask") with { Umask = 0x17 }));

        Assert.Equal(before, OwnStatus("Umask:"));
    }

    [Fact]
    public async Task The_nice_value_is_the_childs_alone()
    {
        // Whoever runs the tests may be nice himself.
        var own = await _workshop.Output("nice");
        Assert.Equal("7\n", await _workshop.Output(Workshop.Shell("nice") with { Nice = 7 }));
        Assert.Equal(own, await _workshop.Output("nice"));
    }

    [Fact]
    public async Task A_child_of_another_user_cannot_become_root_again()
    {
        SkipUnlessRoot();
        var before = (OwnStatus("Uid:"), OwnStatus("Gid:"), OwnStatus("Groups:"), OwnStatus("CapEff:"));

        var status = await _workshop.Output(Status with { User = Nobody() });

        Assert.Equal("65534\t65534\t65534\t65534", Field(status, "Uid:"));
        Assert.Equal("65534\t65534\t65534\t65534", Field(status, "Gid:"));
        Assert.Equal("65534", Field(status, "Groups:"));
        Assert.All(["CapEff:", "CapPrm:", "CapInh:", "CapAmb:"], name => Assert.Equal(0UL, Convert.ToUInt64(Field(status, name), 16)));
        Assert.Equal(before, (OwnStatus("Uid:"), OwnStatus("Gid:"), OwnStatus("Groups:"), OwnStatus("CapEff:")));
    }

    [Fact]
    public async Task No_thread_of_the_daemon_stays_another_user()
    {
        SkipUnlessRoot();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _workshop.Output(Status with { User = Nobody() }))));

        // A thread that has been joined may take a moment to leave the kernel.
        await Workshop.Until(() => Directory.EnumerateDirectories("/proc/self/task").Select(task => ProcFile.ReadText(task + "/status"))
            .OfType<string>().All(status => Field(status, "Uid:") == "0\t0\t0\t0"));
    }

    [Fact]
    public async Task The_supplementary_groups_are_the_users_and_not_the_daemons()
    {
        SkipUnlessRoot();
        var user = new UserIdentity(12345, 12346, [12346, 12347]);

        var status = await _workshop.Output(Status with { User = user });

        Assert.Equal("12346 12347", Field(status, "Groups:"));
    }

    [Fact]
    public async Task Another_user_writes_to_a_pipe_in_a_private_directory_and_may_open_it_again()
    {
        SkipUnlessRoot();
        Files.SetMode(_workshop.Root, Files.PrivateDirectory);
        var pipe = _workshop.PathOf("pipe");
        Files.MakeFifo(pipe);
        using var reader = new FifoReader(pipe);

        await Workshop.End(_workshop.Launch(Workshop.Shell("echo one; echo two > /dev/stdout", pipe) with { User = Nobody() }));

        var buffer = new byte[100];
        Assert.Equal("one\ntwo\n", System.Text.Encoding.UTF8.GetString(buffer, 0, reader.Read(buffer)));
    }

    [Fact]
    public void A_program_that_the_user_may_not_execute_is_refused_by_name()
    {
        SkipUnlessRoot();
        Files.SetMode(_workshop.Root, Files.PrivateDirectory | UnixFileMode.OtherExecute);
        var program = _workshop.NewScript("#!/bin/sh\n");

        var refused = Workshop.Refusal(new LaunchRequest(program, [], Workshop.PlainEnvironment, "/") { User = Nobody() });

        Assert.Equal(LaunchRefusal.PermissionDenied, refused.Cause);
        Assert.StartsWith($"`{program}` may not be executed (mode 0700", refused.Message);
    }

    [Fact]
    public void A_working_directory_that_the_user_may_not_enter_is_refused()
    {
        SkipUnlessRoot();
        Files.SetMode(_workshop.Root, Files.PrivateDirectory);

        var refused = Workshop.Refusal(Workshop.Shell("true") with { User = Nobody(), WorkingDirectory = _workshop.Root });

        Assert.Equal((LaunchRefusal.PermissionDenied, $"working directory `{_workshop.Root}` may not be entered (mode 0700)"), (refused.Cause, refused.Message));
    }

    [Fact]
    public async Task Limits_are_there_before_the_program_is()
    {
        var request = Workshop.Shell("ulimit -Sn; ulimit -Hn; ulimit -c; echo $$") with
        {
            Limits = [new ResourceLimit(Resource.OpenFiles, 100, 200), new ResourceLimit(Resource.Core, 0, ResourceLimit.Unlimited)],
        };

        var file = _workshop.NewFile();
        var process = _workshop.Launch(request with { Output = file });
        await Workshop.End(process);

        Assert.Equal($"100\n200\n0\n{process.Pid}\n", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task A_limit_above_the_daemons_own_reaches_a_child_of_another_user()
    {
        SkipUnlessRoot();
        Assert.SkipUnless(HostEnvironment.MayRaiseLimits, "this root has no CAP_SYS_RESOURCE, so it may not raise a limit");
        var hard = ulong.Parse(Field(await File.ReadAllTextAsync("/proc/self/limits"), "Max open files").Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        var limit = new ResourceLimit(Resource.OpenFiles, hard + 10, hard + 10);

        var text = await _workshop.Output(Workshop.Shell("ulimit -n; cat /proc/self/status") with { Limits = [limit], User = Nobody() });

        Assert.StartsWith($"{hard + 10}\n", text);
        Assert.Equal("65534\t65534\t65534\t65534", Field(text, "Uid:"));
        Assert.Equal("65534", Field(text, "Groups:"));
        Assert.Equal(0UL, Convert.ToUInt64(Field(text, "CapPrm:"), 16));
    }

    [Fact]
    public void A_limit_that_the_daemon_may_not_grant_is_refused_before_anything_runs()
    {
        Assert.SkipWhen(HostEnvironment.MayRaiseLimits, "this daemon may raise any limit");
        var limit = new ResourceLimit(Resource.OpenFiles, 10, ResourceLimit.Unlimited);

        var refused = Workshop.Refusal(Workshop.Shell("true") with { Limits = [limit] });

        Assert.Equal(LaunchRefusal.PermissionDenied, refused.Cause);
        Assert.StartsWith("limit nofile: unlimited is above the daemon's own hard limit ", refused.Message);
    }

    [Fact]
    public void A_limit_beyond_the_kernels_own_is_refused_before_anything_runs()
    {
        Assert.SkipUnless(HostEnvironment.MayRaiseLimits, "this daemon may not raise any limit");

        var refused = Workshop.Refusal(Workshop.Shell("true") with { Limits = [new ResourceLimit(Resource.OpenFiles, 10, ResourceLimit.Unlimited)] });

        Assert.StartsWith("limit nofile: unlimited is above the kernel's own ", refused.Message);
    }

    [Fact]
    public async Task Umask_nice_user_and_limits_hold_together()
    {
        SkipUnlessRoot();
        var request = Workshop.Shell("umask; nice; id -u; ulimit -n") with
        {
            Umask = 0x3F, Nice = 3, User = Nobody(), Limits = [new ResourceLimit(Resource.OpenFiles, 64, 64)],
        };

        Assert.Equal("0077\n3\n65534\n64\n", await _workshop.Output(request));
    }

    private static void SkipUnlessRoot() => Assert.SkipUnless(HostEnvironment.IsRoot, "only root may start a process as another user");

    private static UserIdentity Nobody()
    {
        Assert.True(Users.TryResolve("nobody", out var nobody, out var problem), problem);
        return nobody;
    }

    private static string OwnStatus(string name) => Field(File.ReadAllText("/proc/self/status"), name);

    private static string Field(string status, string name) =>
        status.Split('\n').First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim();
}
