using System.Diagnostics;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Streams.Shared;

/// <summary>A sender that is given documents on its input; what it says it has is acknowledged to the oracle.</summary>
internal sealed class Sender
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private readonly Process _process;
    private readonly Oracle _oracle;
    private readonly List<DrillEvent> _events;
    private readonly List<string> _errors = [];
    private readonly Task _reading;

    /// <param name="events">Null: it has no input.</param>
    public Sender(string state, Oracle oracle, IEnumerable<DrillEvent>? events, params string[] options)
    {
        (_oracle, _events) = (oracle, events?.ToList() ?? []);
        string[] words = ["stream", "send", .. events is null ? [] : new[] { "-" }, "--json", "--state", state, .. options];
        _process = Process.Start(new ProcessStartInfo(Machine.Program, words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors) _errors.Add(line.Data ?? "");
        };
        _process.BeginErrorReadLine();
        _reading = Task.WhenAll(Task.Run(ReadAsync), Task.Run(WriteAsync));
    }

    public int Spooled { get; private set; }

    public List<string> Accepted { get; } = [];

    public string Said
    {
        get
        {
            lock (_errors) return string.Join('\n', _errors);
        }
    }

    public void Kill()
    {
        _process.Kill();
        _reading.Wait(TimeSpan.FromSeconds(30));
    }

    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(120), Cancellation);
        await _reading;
        return _process.ExitCode;
    }

    private async Task WriteAsync()
    {
        try
        {
            foreach (var one in _events) await _process.StandardInput.WriteLineAsync(one.Json);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It was killed.
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            // The last line of a killed process may be cut off.
            if (!line.EndsWith('}')) continue;
            var told = JsonNode.Parse(line)!;
            var status = (string)told["status"]!;
            if (status == "accepted") Accepted.Add((string)told["id"]!);
            if (status == "spooled") Spooled++;
            if (status is "accepted" or "spooled" && (string)told["place"]! is { } place && _events.Count > 0 && place.StartsWith("stdin:", StringComparison.Ordinal) && !IsOfSpool(told))
                _oracle.Acknowledge(_events[int.Parse(place["stdin:".Length..]) - 1]);
        }
    }

    /// <summary>A document of an earlier sender, which was acknowledged then.</summary>
    private bool IsOfSpool(JsonNode told) =>
        (string?)told["id"] is { } id && _events[Math.Min(_events.Count, int.Parse(((string)told["place"]!)["stdin:".Length..])) - 1].Id != id;
}
