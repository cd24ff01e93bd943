using System.Diagnostics;
using System.Runtime.CompilerServices;
using Stoker.Cli;
using Stoker.Platform;
using Stoker.Streams;
using Stoker.Streams.Serving;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Cli;

/// <summary>
/// A stream in a process of its own, as the daemon would start it, and verbs that are run against it: the test program started again with a variable
/// that says so.
/// </summary>
internal sealed class StreamBed : IDisposable
{
    private const string Variable = "STOKER_TEST_STREAM";

    private readonly HeldPort _port = new();
    private Process? _process;

    /// <param name="change">Of the plan, before it is written.</param>
    public StreamBed(string name = "gpu-metadata", Action<StreamPlan>? change = null)
    {
        Plan = new StreamPlan("test", name, _port.Address.ToString(), "") { Host = "mainpc" };
        change?.Invoke(Plan);
        WritePlan();
    }

    public FakeWorld World { get; } = new();

    public StreamPlan Plan { get; }

    public string Log => Path.Combine(StreamPlan.DirectoryOf(World.State.Path, Plan.Name), StreamProcess.LogDirectory);

    public string Output => World.Output.ToString();

    public string Error => World.Error.ToString();

    [ModuleInitializer]
    internal static void BecomeTheStreamWhenAskedTo()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split('|') is not [var state, var name]) return;
        Environment.Exit(StreamProcess.Run([StreamProcess.Verb, "--state", state, "--stream", name]));
    }

    /// <summary>Starts the process and waits until it answers.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(StreamBed).Assembly.Location);
        start.Environment[Variable] = $"{World.State.Path}|{Plan.Name}";
        _process = Process.Start(start)!;
        while (await _process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith("listening", StringComparison.Ordinal))
            {
                // Never full, and never waited for.
                _ = _process.StandardError.ReadToEndAsync(CancellationToken.None);
                return;
            }
        }

        throw new IOException("the stream's process ended before it listened");
    }

    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"]);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, _process.ExitCode);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Runs a verb; what it printed is in <see cref="Output"/> and <see cref="Error"/>.</summary>
    public ExitCode Run(params string[] words)
    {
        World.Output.GetStringBuilder().Clear();
        World.Error.GetStringBuilder().Clear();
        return World.Run(["stream", .. words]);
    }

    /// <summary>Runs a verb until what it prints has a text; a worker is a moment behind the door.</summary>
    public async Task UntilAsync(string text, params string[] words)
    {
        while (true)
        {
            Run(words);
            if (Output.Contains(text, StringComparison.Ordinal)) return;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        _port.Dispose();
        World.Dispose();
    }

    private void WritePlan()
    {
        var file = StreamPlan.FileOf(World.State.Path, Plan.Name);
        Files.CreateDirectory(Path.GetDirectoryName(file)!);
        Files.Replace(file, Plan.ToJson());
    }
}
