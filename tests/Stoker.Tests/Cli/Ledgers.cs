using Stoker.Daemon;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Tests.Gateway.Ledger;

namespace Stoker.Tests.Cli;

/// <summary>A ledger for transcripts: requests of three days to two models by keys that exist, and what their engines counted.</summary>
internal static class Ledgers
{
    public static void Write(StateDirectory state, string keyNames)
    {
        string[] keys;
        using (var store = KeyStore.Open(state.GatewayDatabase)) keys = [.. keyNames.Split(' ').Select(name => store.Find(name)!.Id.Value)];
        using var writer = new LedgerWriter(state.Ledger, TimeSpan.FromDays(30), new FrozenClock(), line => throw new IOException(line));
        writer.RecordEngineCounters("phi-3-mini.1", 0, 0, FrozenClock.Noon.AddDays(-3).UtcTicks);
        foreach (var outcome in Enum.GetValues<RequestOutcome>())
        {
            for (var i = 0; i < 12; i++)
            {
                var (at, key) = (FrozenClock.Noon.AddHours(-5 * i).AddMinutes(-1), keys[i % keys.Length]);
                if (outcome == RequestOutcome.Refused) writer.Add(Rows.Row(at, key, "", "", outcome, 0, 0));
                else if (i % 4 == 0) writer.Add(Rows.Row(at, key, "microsoft/phi-3-mini", "phi-3-mini.1", outcome, 900 + i, 300, outcome == RequestOutcome.Abandoned ? 120 : 0));
                else writer.Add(Rows.Row(at, key, "qwen", "qwen.1", outcome, 12_000 * i, 4_000, estimated: i == 5));
            }
        }

        writer.RecordEngineCounters("phi-3-mini.1", 11_300, 3_700, FrozenClock.Noon.UtcTicks);
    }
}
