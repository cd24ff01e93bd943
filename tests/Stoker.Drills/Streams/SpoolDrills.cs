using System.Diagnostics;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Stoker.Drills.Streams.Shared;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>`stream send` killed, run twice at once and out of room while its stream comes and goes: what it said it had is stored once.</summary>
public sealed class SpoolDrills
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Killed_senders_lose_nothing_that_they_said_they_had() => KillAsync(12);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Senders_killed_two_hundred_times_lose_nothing_that_they_said_they_had() => KillAsync(200);

    [Fact]
    public async Task Two_senders_on_one_spool_take_turns_and_each_keeps_its_order()
    {
        await using var box = new StreamBox(change: plan => plan with { Partitions = 1 });
        var oracle = new Oracle(sources: 1);
        var senders = new List<Sender>();
        foreach (var kind in new[] { "left", "right" }) senders.Add(new Sender(box, oracle, Enumerable.Range(0, 1500).Select(_ => oracle.Issue(kind)), "--patience", "0s"));
        foreach (var sender in senders) Assert.Equal(0, await sender.EndAsync());
        Assert.Equal(3000, senders.Sum(sender => sender.Spooled));

        await box.UpAsync();
        var first = new Sender(box, oracle, null, "--flush");
        var second = new Sender(box, oracle, null, "--flush");
        Assert.Equal(0, await first.EndAsync());
        Assert.Equal(0, await second.EndAsync());
        await box.AssertHoldsAsync(oracle);
        foreach (var kind in new[] { "left", "right" })
        {
            var numbers = first.Accepted.Concat(second.Accepted).Where(id => id.StartsWith(kind, StringComparison.Ordinal)).Select(id => int.Parse(id[(kind.Length + 1)..])).ToList();
            Assert.Equal(1500, numbers.Count);
            Assert.Equal(numbers.Order(), numbers);
        }
    }

    [Fact]
    public async Task A_full_disk_under_the_spool_is_said_and_what_was_kept_is_delivered()
    {
        using var disk = SmallDisk.Mount("24m");
        await using var box = new StreamBox();
        var oracle = new Oracle();
        var sender = new Sender(box, oracle, Enumerable.Range(0, 4000).Select(_ => oracle.Issue(noise: 10_000)), "--patience", "0s", "--spool", Path.Combine(disk.Path, "spool"));
        Assert.Equal(1, await sender.EndAsync());
        Assert.Contains("is full", sender.Said, StringComparison.Ordinal);
        Assert.InRange(sender.Spooled, 100, 3900);

        await box.UpAsync();
        var flush = new Sender(box, oracle, null, "--flush", "--spool", Path.Combine(disk.Path, "spool"));
        Assert.Equal(0, await flush.EndAsync());
        Assert.Equal(sender.Spooled, flush.Accepted.Count);
        await box.AssertHoldsAsync(oracle);
    }

    private static async Task KillAsync(int rounds)
    {
        await using var box = new StreamBox();
        var oracle = new Oracle();
        var spooled = 0;
        for (var round = 0; round < rounds; round++)
        {
            // The stream is away, there, killed in the middle, or back in the middle.
            if (round % 2 == 1) await box.UpAsync();
            var sender = new Sender(box, oracle, Enumerable.Range(0, 3000).Select(_ => oracle.Issue()), "--patience", "0s");
            await Task.Delay(200 + (round * 97 % 500), Cancellation);
            if (round % 4 == 1) box.Kill();
            if (round % 4 == 2) await box.UpAsync();
            await Task.Delay(round * 61 % 300, Cancellation);
            sender.Kill();
            spooled += sender.Spooled;
            if (round % 4 is 2 or 3) box.Kill();
        }

        Assert.True(spooled > 0, "nothing was ever kept");
        await box.UpAsync();
        var flush = new Sender(box, oracle, null, "--flush");
        Assert.True(await flush.EndAsync() == 0, flush.Said);
        await box.AssertHoldsAsync(oracle);
    }

    /// <summary>A sender that is given documents on its input; what it says it has is acknowledged to the oracle.</summary>
    private sealed class Sender
    {
        private readonly Process _process;
        private readonly StreamBox _box;
        private readonly Oracle _oracle;
        private readonly List<DrillEvent> _events;
        private readonly List<string> _errors = [];
        private readonly Task _reading;

        public Sender(StreamBox box, Oracle oracle, IEnumerable<DrillEvent>? events, params string[] options)
        {
            (_box, _oracle, _events) = (box, oracle, events?.ToList() ?? []);
            string[] words = ["stream", "send", .. events is null ? [] : new[] { "-" }, "--json", "--state", _box.State, .. options];
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
}
