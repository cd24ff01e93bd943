using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>Many at once: ten thousand requests that must add up, thousands of idle connections, and one that never gets to its point.</summary>
public sealed class CrowdTests
{
    private const int Requests = 10_000, Workers = 16;

    [Fact]
    public async Task The_ledger_adds_up_after_ten_thousand_requests_of_which_a_third_leave_early()
    {
        await using var one = Bench.Start(o => o with { Names = ["a"], MaxRunning = 64, RequestsKept = Requests });
        await using var two = Bench.Start(o => o with { Names = ["b"], MaxRunning = 64, RequestsKept = Requests });
        await using var three = Bench.Start(o => o with { Names = ["b"], MaxRunning = 64, RequestsKept = Requests });
        await using var bench = GatewayBench.Start(GatewayBench.Plan(GatewayBench.Model("a", one.Server.Address), GatewayBench.Model("b", two.Server.Address, three.Server.Address)) with { RequiresKeys = true });
        string[] keys = [await bench.KeyAsync("one"), await bench.KeyAsync("two"), await bench.KeyAsync("three")];
        var next = -1;
        var finished = new ConcurrentBag<(int Prompt, int Completion)>();
        var asked = new ConcurrentDictionary<(int Key, string Model, bool Leaves), int>();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < Requests)
            {
                // Groups of different sizes, so that none can stand for another.
                var (key, model, leaves) = (i % 10 < 5 ? 0 : i % 10 < 8 ? 1 : 2, i % 7 < 3 ? "a" : "b", i % 3 == 0);
                asked.AddOrUpdate((key, model, leaves), 1, (_, count) => count + 1);
                if (leaves) await LeaveAsync(bench, keys[key], model);
                else finished.Add(await FinishAsync(bench, keys[key], model, stream: i % 2 == 0, 1 + (i % 13)));
            }
        }));

        var rows = await bench.LedgerAsync(Requests);
        Assert.Equal(
            asked.OrderBy(a => a.Value).Select(a => (a.Key.Model, a.Key.Leaves, a.Value)),
            rows.GroupBy(r => (r.Key, r.Model, Leaves: r.Outcome == "abandoned")).Select(g => (g.Key.Model, g.Key.Leaves, Value: g.Count())).OrderBy(g => g.Value));
        var good = rows.Where(r => r.Outcome == "good").ToList();
        Assert.DoesNotContain(rows, r => r.IsEstimated);
        Assert.Equal((finished.Sum(f => (long)f.Prompt), finished.Sum(f => (long)f.Completion)), (good.Sum(r => r.Prompt), good.Sum(r => r.Completion)));

        var (prompts, completed, cancelled) = (0L, 0L, 0L);
        foreach (var model in (Bench[])[one, two, three])
        {
            // A server hears that a client has left, and notes down how it ended, when the ledger has its row already.
            List<JsonElement> seen = [];
            await Bench.UntilAsync(async () =>
            {
                seen = [.. (await model.Client.GetFromJsonAsync<JsonElement>("/admin/requests")).GetProperty("requests").EnumerateArray()];
                return seen.All(r => r.GetProperty("outcome").GetString() != "running");
            });
            prompts += (long)await model.MetricAsync("vllm:prompt_tokens_total");
            completed += seen.Where(r => r.GetProperty("outcome").GetString() == "completed").Sum(r => r.GetProperty("tokens").GetInt64());
            cancelled += seen.Where(r => r.GetProperty("outcome").GetString() == "cancelled").Sum(r => r.GetProperty("tokens").GetInt64());
        }

        Assert.Equal(completed, good.Sum(r => r.Completion));
        Assert.Equal(prompts, rows.Sum(r => r.Prompt));
        Assert.InRange(rows.Where(r => r.Outcome == "abandoned").Sum(r => r.Completion), 1, cancelled);
    }

    [Fact]
    public async Task Thousands_of_idle_connections_cost_little_and_hold_nobody_up()
    {
        var open = int.Parse(
            File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3],
            System.Globalization.CultureInfo.InvariantCulture);

        // Both ends are in this process, and other tests run beside.
        var count = Math.Min(10_000, (open - 4_000) / 2);
        Assert.SkipWhen(count < 1_000, $"only {open} files may be open");
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        var idle = new List<Socket>(count);
        try
        {
            for (var i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                idle.Add(socket);
                await socket.ConnectAsync(bench.Address);
            }

            await bench.UntilAsync(() => bench.State.Metrics.OpenConnections > count);
            Assert.EndsWith(Sse.Done, await bench.TextAsync(Sse.Path, Sse.Stream("x")));
            TestContext.Current.TestOutputHelper?.WriteLine($"{count} idle connections, {GC.GetTotalMemory(forceFullCollection: true) / count} bytes of managed memory each at most, both ends");
        }
        finally
        {
            foreach (var socket in idle) socket.Dispose();
        }

        await bench.UntilAsync(() => bench.State.Metrics.OpenConnections < 10);
    }

    [Fact]
    public async Task A_head_that_comes_drop_by_drop_is_not_waited_for_for_ever()
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan());
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync(Encoding.ASCII.GetBytes("GET /health HTTP/1.1\r\nhost: x\r\na: "));
        var answer = raw.ReadUntilAsync();
        using var drops = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!answer.IsCompleted && await drops.WaitForNextTickAsync())
        {
            try
            {
                await raw.Socket.SendAsync("x"u8.ToArray());
            }
            catch (SocketException)
            {
                // It is over.
                break;
            }
        }

        Assert.StartsWith("HTTP/1.1 408 ", await answer ?? "HTTP/1.1 408 reset after it");
    }

    private static async Task<(int Prompt, int Completion)> FinishAsync(GatewayBench bench, string key, string model, bool stream, int tokens)
    {
        var body = Sse.Chat("how are you?", $"\"max_tokens\":{tokens}{(stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "")}", model);
        using var answer = await bench.SendAsync(Sse.Path, body, key: key);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(200, (int)answer.StatusCode);
        return (Number(text, "prompt_tokens"), Number(text, "completion_tokens"));
    }

    /// <summary>The last number of that name: usage comes at the end.</summary>
    private static int Number(string text, string name)
    {
        var from = text.LastIndexOf($"\"{name}\":", StringComparison.Ordinal) + name.Length + 3;
        return int.Parse(text[from..].Split(',', '}')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Hears a part of a stream that would never end, and goes.</summary>
    private static async Task LeaveAsync(GatewayBench bench, string key, string model)
    {
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Sse.Path, Sse.Stream("tell me all", "\"max_tokens\":50,\"ignore_eos\":true", model), $"authorization: Bearer {key}\r\nx-simulate: stall-after=6\r\n");
        var heard = "";
        while (Sse.Count(heard, "data: ") < 3) heard += await raw.ReadUntilAsync("data: ");
    }
}
