using System.Globalization;
using System.Text;
using Stoker.Gateway.Forwarding;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Gateway.Routing;

namespace Stoker.Bench;

/// <summary>Single calls that each request makes, one thread: nanoseconds of processor time and bytes allocated.</summary>
internal static class CallCosts
{
    private const int Calls = 1_000_000;

    public static void Run()
    {
        Console.WriteLine("call                                        cpu ns   bytes");
        Limits();
        Keys();
        Scans();
        foreach (var replicas in (int[])[1, 4, 16]) Routes(replicas);
    }

    private static void Limits()
    {
        var limited = new KeyLimits(new LimitSpec(100_000_000, 100_000_000_000, 1000), [new ModelLimit("phi*", new LimitSpec(100_000_000, null, null))], new BudgetSpec(long.MaxValue / 2, BudgetPeriod.Month));
        foreach (var (name, limits) in new[] { ("no limits", KeyLimits.None), ("all limits", limited) })
        {
            var limiter = new Limiter();
            if (limits != KeyLimits.None) limiter.SetModelLimits([new ModelLimit("*", new LimitSpec(100_000_000, 100_000_000_000, null))]);
            var now = DateTime.UtcNow.Ticks;
            Measure($"Limiter.TryReserve + Settle, {name}", i =>
            {
                now += 1000;
                var request = new LimitRequest("key_0123456789abcdef", limits, "phi-3-mini", 100, 200);
                if (!limiter.TryReserve(request, now, out var lease, out _)) throw new InvalidOperationException("refused");
                limiter.Settle(lease, 90, 150, now);
            });
            Measure($"Limiter.Look, {name}", i => limiter.Look("key_0123456789abcdef", limits, "phi-3-mini", now));
        }
    }

    private static void Keys()
    {
        var keys = Enumerable.Range(0, 1000).Select(i => (Secret: $"sk-stoker-{i:D49}", Key: KeyState.Anonymous with { Id = new KeyId($"key_{i}"), Use = new KeyUse() })).ToList();
        var ring = new KeyRing([.. keys.Select(k => k.Key)], keys.Select(k => (SecretHash.Of(k.Secret), k.Key, long.MaxValue)));
        var headers = keys.Select(k => System.Text.Encoding.ASCII.GetBytes($"Bearer {k.Secret}")).ToList();
        var now = DateTime.UtcNow.Ticks;
        Measure("KeyRing.Find of 1000", i =>
        {
            if (ring.Find(KeyRing.Bearer(headers[i % headers.Count]), now, out _) != KeyVerdict.Valid) throw new InvalidOperationException("refused");
        });
    }

    /// <summary>Chats as people send them: lines of text, each of whose ends is an escape, a few words that are not ASCII.</summary>
    private static void Scans()
    {
        foreach (var kibibytes in (int[])[1, 32, 400])
        {
            var line = "The quick brown fox jumps over the lazy dog, whose name is Zoë; then it says \\\"hello\\\" and goes home.\\n";
            var lines = string.Concat(Enumerable.Repeat(line, kibibytes * 1024 / 4 / line.Length + 1));
            var body = Encoding.UTF8.GetBytes($"{{\"model\":\"phi-3-mini\",\"messages\":[{string.Join(',', Enumerable.Repeat($"{{\"role\":\"user\",\"content\":\"{lines}\"}}", 4))}],\"stream\":true,\"max_tokens\":100}}");
            Measure($"RequestScan.Read, {kibibytes} KiB", _ =>
            {
                if (new RequestScan().Read(body) != ScanFault.None) throw new InvalidOperationException("refused");
            }, Calls / (kibibytes * 4));
        }
    }

    private static void Routes(int replicas)
    {
        var router = new Router(RouterOptions.Default, 7);
        router.Apply([new RouteSpec(new ModelName("phi"), [.. Enumerable.Range(0, replicas).Select(i => new ReplicaSpec(new ReplicaId("phi", i + 1), "127.0.0.1", 9000 + i, "vllm"))])], 0);
        var route = router.Table.Find("phi")!;
        foreach (var replica in route.Replicas) replica.SetMode(ReplicaMode.Serving, 0);
        var now = TimeSpan.TicksPerHour;
        Measure($"Route.Begin + Place + FirstByte + End, {replicas} replicas", i =>
        {
            now += 1000;
            var request = new RouteRequest { PromptTokens = 100, Sequence = route.Begin(now) };
            var placement = router.Place(route, request, now);
            placement.Lease.FirstByte(now + 500);
            if (!placement.Lease.End(ReplicaFact.Answered, now + 900)) throw new InvalidOperationException("not placed");
        });
    }

    private static void Measure(string what, Action<int> call, int calls = Calls)
    {
        for (var i = 0; i < calls / 4; i++) call(i);
        // The compiler works in the background; its time is not the call's.
        Thread.Sleep(300);
        for (var i = 0; i < calls / 100; i++) call(i);
        var (best, allocated) = (double.MaxValue, 0L);
        for (var round = 0; round < 3; round++)
        {
            var (cpu, before) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
            for (var i = 0; i < calls; i++) call(i);
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds / calls);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-52} {best,6:N0} {allocated / (double)calls,7:N1}"));
    }
}
