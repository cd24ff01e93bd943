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
        int prompt = 10,
        int completion = 5,
        int wasted = 0,
        bool estimated = false,
        float duration = 100) => new()
        {
            At = at.UtcTicks,
            Request = new RequestId(0x0123_4567_89AB_CDEF, 1),
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
            FirstToken = 12.34567f,
            Duration = duration,
            Status = 200,
            IsStream = true,
            Bytes = 321,
        };

    public static LedgerGroup Group(params LedgerRow[] rows)
    {
        var (queue, group) = (new LedgerQueue(rows.Length), new LedgerGroup());
        foreach (var row in rows) queue.Add(row);
        queue.MoveTo(group, rows.Length);
        return group;
    }
}
