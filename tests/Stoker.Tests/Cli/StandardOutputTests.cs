using System.Diagnostics;
using Xunit;

namespace Stoker.Tests.Cli;

/// <summary>With the real program, as a shell would run it.</summary>
public sealed class StandardOutputTests
{
    private static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "stoker");

    [Fact]
    public async Task Programs_that_share_a_file_as_their_output_do_not_write_over_each_other()
    {
        using var world = new FakeWorld();
        var file = Path.Combine(world.Directory, "out");
        var (code, _) = await ShellAsync($"{{ {Program} --version; {Program} --help; echo between; {Program} wait --help; }} > {file}");

        Assert.Equal(0, code);
        var text = await File.ReadAllTextAsync(file);
        Assert.StartsWith("stoker ", text, StringComparison.Ordinal);
        Assert.Contains("  stoker up -d && stoker status\nbetween\nstoker wait: ", text);
        Assert.EndsWith("  stoker wait --timeout 30s redis vision\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_leaves_early_ends_the_program_without_a_word_and_a_full_disk_is_said()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no /dev/full");

        var (_, early) = await ShellAsync($"{Program} --help | true");
        var (code, full) = await ShellAsync($"{Program} --help > /dev/full");

        Assert.Equal("", early);
        Assert.Equal(1, code);
        Assert.StartsWith("stoker: cannot write to standard output", full, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Error)> ShellAsync(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true })!;
        var error = await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return (shell.ExitCode, error);
    }
}
