using System.Diagnostics;
using Stoker.Gateway;
using Stoker.Tests.Gateway;
using Xunit;

namespace Stoker.Drills.Shared;

/// <summary>The gateway as a process of its own, as the daemon starts it, with a plan and a state directory of the test's.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private readonly Scratch _scratch = new();
    private readonly Process _process;
    private readonly List<string> _said = [];
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunningGateway(GatewayPlan plan, string? state, IReadOnlyDictionary<string, string> variables)
    {
        State = state ?? _scratch.Directory;
        Directory.CreateDirectory(State);
        File.WriteAllBytes(Path.Combine(State, GatewayProcess.PlanFile), plan.ToJson());
        var start = new ProcessStartInfo(Machine.Program, [GatewayProcess.Verb, "--state", State]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.ErrorDataReceived += (_, line) => Heard(line.Data);
        _process.Start();
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public string State { get; }

    public string Address { get; private set; } = "";

    public HttpClient Client { get; private set; } = null!;

    /// <summary>Lines of its log.</summary>
    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_said) return [.. _said];
        }
    }

    /// <param name="state">Null: one that is gone afterwards.</param>
    public static async Task<RunningGateway> StartAsync(GatewayPlan plan, string? state = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        var gateway = new RunningGateway(plan, state, variables ?? new Dictionary<string, string>());
        try
        {
            gateway.Address = await gateway._address.Task.WaitAsync(TimeSpan.FromSeconds(30));
            gateway.Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{gateway.Address}"), Timeout = TimeSpan.FromSeconds(60) };
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until its log has a line with that in it.</summary>
    public async Task SaysAsync(string part)
    {
        var patience = Stopwatch.StartNew();
        while (!Said.Any(line => line.Contains(part, StringComparison.Ordinal)))
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(30), $"it has not said `{part}`:\n{string.Join('\n', Said)}");
            await Task.Delay(10);
        }
    }

    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <returns>Its exit code.</returns>
    public async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Client?.Dispose();
        _scratch.Dispose();
    }

    /// <summary><c>listening on 127.0.0.1:41234, open to …</c></summary>
    private void Heard(string? line)
    {
        const string Listening = "listening on ";
        if (line is null)
        {
            _address.TrySetException(new InvalidOperationException($"the gateway ended: {string.Join('\n', Said)}"));
            return;
        }

        lock (_said) _said.Add(line);
        if (line.StartsWith(Listening, StringComparison.Ordinal)) _address.TrySetResult(line[Listening.Length..].Split(',')[0]);
    }
}
