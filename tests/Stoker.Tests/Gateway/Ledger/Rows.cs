using Stoker.Gateway.Ledger;

namespace Stoker.Tests.Gateway.Ledger;

internal static class Rows
{
    public static LedgerRow Row(
        DateTimeOffset at,
        string key = "key_a",
        string model = "phi",
        string replica = "phi.1",
        RequestOutcome outcome = RequestOutcome.Good,
        long prompt = 10,
        long completion = 5,
        long wasted = 0,
        bool estimated = false,
        double duration = 100) => new()
        {
            At = at.UtcTicks,
            Request = "req_1",
            Key = key,
            ModelAsked = model,
            Model = model,
            Replica = replica,
            Outcome = outcome,
            Prompt = prompt,
            Cached = prompt / 2,
            Completion = completion,
            Reasoning = completion / 5,
            Wasted = wasted,
            IsEstimated = estimated,
            FirstToken = 12.34567,
            Duration = duration,
            Status = 200,
            IsStream = true,
            Bytes = 321,
        };
}
