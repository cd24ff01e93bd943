using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Stoker.Drills.Shared;

/// <summary>A command on a pseudo-terminal of a given size, made by <c>script</c>; what it sends is kept, as bytes and as a screen.</summary>
public sealed partial class Terminal : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _sent = new();
    private readonly int _rows;
    private readonly Task _read;

    /// <param name="command">A line for the shell.</param>
    public Terminal(string command, string directory, IReadOnlyDictionary<string, string> environment, int rows = 24, int columns = 80)
    {
        _rows = rows;
        var start = new ProcessStartInfo("script", ["-qefc", $"stty rows {rows} cols {columns}; {command}", "/dev/null"])
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TERM"] = "xterm";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _read = ReadAsync();
    }

    public void Type(string keys)
    {
        _process.StandardInput.Write(keys);
        _process.StandardInput.Flush();
    }

    public string Sent
    {
        get
        {
            lock (_sent) return _sent.ToString();
        }
    }

    /// <summary>
    /// The lines as a person sees them, from what was placed by <c>ESC[ROW;1H</c> and cut by <c>ESC[K</c>; colours and modes are left out.
    /// </summary>
    public IReadOnlyList<string> Screen()
    {
        var lines = Enumerable.Repeat("", _rows).ToArray();
        var whole = Sent[..(Sent.LastIndexOf("\e[?2026l", StringComparison.Ordinal) + 1)];
        foreach (Match part in Placed().Matches(whole)) lines[int.Parse(part.Groups[1].Value) - 1] = Modes().Replace(part.Groups[2].Value, "").TrimEnd();
        return lines;
    }

    public void Until(string what, Func<bool> isSo)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"not within {clock.Elapsed.TotalSeconds:0} s: {what}\n{Sent}");
            Thread.Sleep(20);
        }
    }

    /// <summary>Waits until the command has ended and all that it sent is read; its exit code.</summary>
    public int End()
    {
        Assert.True(_process.WaitForExit(TimeSpan.FromSeconds(60)) && _read.Wait(TimeSpan.FromSeconds(60)), $"it does not end\n{Sent}");
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new char[4096];
        for (int read; (read = await _process.StandardOutput.ReadAsync(buffer)) > 0;)
        {
            lock (_sent) _sent.Append(buffer, 0, read);
        }
    }

    [GeneratedRegex(@"\x1b\[(\d+);1H(.*?)\x1b\[K", RegexOptions.Singleline)]
    private static partial Regex Placed();

    [GeneratedRegex(@"\x1b\[[?0-9;]*[a-zA-Z]")]
    private static partial Regex Modes();
}
