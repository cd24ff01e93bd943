using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class LaunchRefusalTests : IDisposable
{
    private const UnixFileMode NotExecutable = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public void A_program_that_does_not_exist() =>
        Refused(LaunchRefusal.NotFound, "`/nowhere/at-all` does not exist", Request("/nowhere/at-all"));

    [Fact]
    public void A_directory() => Refused(LaunchRefusal.NotExecutable, "`/usr` is a directory", Request("/usr"));

    [Fact]
    public void A_file_without_permission_to_execute()
    {
        var path = _workshop.NewScript("#!/bin/sh\n", NotExecutable);
        Refused(LaunchRefusal.NotExecutable, $"`{path}` is not executable (mode 0600; chmod +x makes it so)", Request(path));
    }

    [Fact]
    public void A_script_whose_interpreter_does_not_exist()
    {
        var path = _workshop.NewScript("#!/opt/python9 -u\n");
        Refused(LaunchRefusal.NotFound, $"`{path}` needs the interpreter `/opt/python9`, which does not exist", Request(path));
    }

    [Fact]
    public void A_script_with_the_line_ends_of_another_system()
    {
        var path = _workshop.NewScript("#!/bin/sh\r\necho\r\n");
        Refused(LaunchRefusal.NotFound, $"`{path}` needs the interpreter `/bin/sh\\r`, which does not exist", Request(path));
    }

    [Fact]
    public void A_script_whose_interpreter_is_not_executable()
    {
        var interpreter = _workshop.NewScript("", NotExecutable);
        var path = _workshop.NewScript($"#!{interpreter}\n");
        Refused(LaunchRefusal.NotExecutable, $"`{path}` needs the interpreter `{interpreter}`, which is not executable", Request(path));
    }

    [Fact]
    public void A_file_that_is_no_program()
    {
        var path = _workshop.NewScript("hello");
        Refused(
            LaunchRefusal.NotExecutable, $"`{path}` is neither a program for this machine nor a script that begins with #!", Request(path));
    }

    [Fact]
    public void A_program_for_another_machine_or_loader()
    {
        var bytes = File.ReadAllBytes("/bin/true");
        var foreign = _workshop.NewScript("");
        bytes[18] = 243;
        File.WriteAllBytes(foreign, bytes);
        Assert.Contains("is built for riscv64, and this machine is ", Workshop.Refusal(Request(foreign)).Message);

        var unloadable = _workshop.NewScript("");
        bytes = File.ReadAllBytes("/bin/true");
        bytes[bytes.AsSpan().IndexOf("/ld-"u8) + 1] = (byte)'x';
        File.WriteAllBytes(unloadable, bytes);
        var refused = Workshop.Refusal(Request(unloadable));
        Assert.Equal(LaunchRefusal.NotFound, refused.Cause);
        Assert.Contains("needs the loader `", refused.Message);
    }

    [Fact]
    public void A_program_that_stays_open_for_writing()
    {
        var path = _workshop.NewScript("");
        File.Copy("/bin/true", path, overwrite: true);
        using var writer = new FileStream(path, FileMode.Open, FileAccess.Write);
        Refused(LaunchRefusal.NotExecutable, $"`{path}` is open for writing", Request(path));
    }

    [Fact]
    public void A_working_directory_that_is_not_there_or_none()
    {
        Refused(LaunchRefusal.NoWorkingDirectory, "working directory `/nowhere`: No such file or directory",
            Request("/bin/true") with { WorkingDirectory = "/nowhere" });
        Refused(LaunchRefusal.NoWorkingDirectory, "working directory `/bin/true` is not a directory",
            Request("/bin/true") with { WorkingDirectory = "/bin/true" });
    }

    [Fact]
    public void An_output_that_cannot_be_opened() =>
        Refused(LaunchRefusal.Other, "cannot open the output `/nowhere/pipe`: No such file or directory",
            Request("/bin/true") with { Output = "/nowhere/pipe" });

    [Fact]
    public void Arguments_that_are_too_long_for_the_kernel() =>
        Refused(LaunchRefusal.Other, "the arguments and environment of `/bin/true` are longer than the kernel takes",
            Request("/bin/true") with { Arguments = [new string('x', 1 << 20)] });

    [Theory]
    [InlineData("bin/true", "", "`bin/true` is not an absolute path")]
    [InlineData("/bin/true", "a\0b", "the command line of `/bin/true` contains a NUL character")]
    public void What_no_command_line_can_hold(string executable, string argument, string message) =>
        Refused(LaunchRefusal.Other, message, Request(executable) with { Arguments = [argument] });

    [Fact]
    public void A_variable_that_no_environment_can_hold() =>
        Refused(LaunchRefusal.Other, "environment variable `A=B` has a name or a value that no environment can hold",
            Request("/bin/true") with { Environment = new Dictionary<string, string> { ["A=B"] = "" } });

    [Fact]
    public void A_program_behind_limits_is_looked_at_as_well() =>
        Refused(LaunchRefusal.NotFound, "`/nowhere/at-all` does not exist",
            Request("/nowhere/at-all") with { Limits = [new ResourceLimit(Resource.Core, 0, 0)] });

    [Fact]
    public void A_soft_limit_above_its_hard_limit() =>
        Refused(LaunchRefusal.Other, "limit nofile: soft 20 is above hard 10",
            Request("/bin/true") with { Limits = [new ResourceLimit(Resource.OpenFiles, 20, 10)] });

    private static LaunchRequest Request(string executable) => new(executable, [], Workshop.PlainEnvironment, "/");

    private static void Refused(LaunchRefusal cause, string message, LaunchRequest request)
    {
        var refused = Workshop.Refusal(request);
        Assert.Equal((message, cause), (refused.Message, refused.Cause));
    }
}
