using Stoker.Estates;

namespace Stoker.Probes;

/// <summary>Asks what the processes of one replica have on its GPUs now.</summary>
internal delegate ValueTask<GpuUse> GpuUseLookup(CancellationToken cancel);

/// <summary>What the processes of a replica have on the GPUs that it was given.</summary>
/// <param name="Gpus">Their names, for people.</param>
internal sealed record GpuUse(string Gpus)
{
    /// <summary>How many of them are there.</summary>
    public int Processes { get; init; }

    /// <summary>Null where the driver does not tell.</summary>
    public long? Memory { get; init; }

    /// <summary>Of the GPU's time; null where the driver does not tell.</summary>
    public int? Percent { get; init; }

    /// <summary>Other GPUs that its processes are on.</summary>
    public IReadOnlyList<string> Elsewhere { get; init; } = [];

    /// <summary>Why nothing can be said, in words.</summary>
    public string? Problem { get; init; }
}

/// <summary>
/// Healthy when the service's own processes hold memory on the GPU that it was given and, where that is asked, use it: what a service that fell back to the CPU, or a container that lost
/// its GPU, does not. With a canary, the GPU is looked at again and again while that is answered.
/// </summary>
internal sealed class GpuProbe(ProbeSpec.Gpu spec, ProbeTarget target, TimeSpan timeout, TimeProvider clock) : IProbe
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    public async ValueTask<ProbeOutcome> AskAsync(CancellationToken cancel)
    {
        using var deadline = new ProbeDeadline(timeout, clock, cancel);
        if (target.GpuUse is not { } look) return deadline.Unhealthy("nobody looks at the GPUs here");
        try
        {
            var canary = spec.Canary is { } url ? new HttpProbe(HttpQuestion.Of(new ProbeSpec.Http(url), target), timeout, clock).AskAsync(deadline.Token).AsTask() : null;
            var use = await look(deadline.Token);
            while (canary is { IsCompleted: false } || (spec.Activity && canary is not null && use is { Problem: null, Percent: 0 }))
            {
                var isLast = canary.IsCompleted;
                await Task.WhenAny(Task.Delay(Pace, clock, deadline.Token), isLast ? Task.Delay(Timeout.Infinite, deadline.Token) : canary);
                deadline.Token.ThrowIfCancellationRequested();
                var now = await look(deadline.Token);
                // The most that was seen counts.
                use = now with { Percent = now.Percent is { } percent ? Math.Max(percent, use.Percent ?? 0) : use.Percent };
                if (isLast) break;
            }

            if (canary is not null && await canary is { IsHealthy: false } failed) return failed;
            if (Judge(use) is { } problem) return deadline.Unhealthy(problem);
            var share = use.Percent is { } seen ? $", {seen} % of its time" : "";
            return deadline.Healthy($"{new ByteSize(use.Memory ?? 0)} on {use.Gpus}{share}");
        }
        catch (OperationCanceledException) when (deadline.Token.IsCancellationRequested)
        {
            return deadline.TimedOut("the GPU", "no answer");
        }
    }

    /// <summary>What is wrong; null: nothing is.</summary>
    private string? Judge(GpuUse use)
    {
        if (use.Problem is { } problem) return $"{use.Gpus}: {problem}";
        if (use.Processes == 0)
        {
            return use.Elsewhere.Count > 0
                ? $"no process of it is on {use.Gpus}, but on {string.Join(" and ", use.Elsewhere)}, which it was not given"
                : $"no process of it is on {use.Gpus}: it has lost its GPU, or computes on the processor";
        }

        if (use.Memory is not { } memory) return spec.MoreThan is null ? Active(use) : $"the driver does not tell how much of {use.Gpus} its processes hold";
        if (memory == 0) return $"its processes hold no memory on {use.Gpus}";
        if (spec.MoreThan is { } expected && memory <= expected.Bytes) return $"its processes hold {new ByteSize(memory)} on {use.Gpus}, and more than {expected} is expected";
        return Active(use);
    }

    private string? Active(GpuUse use)
    {
        if (!spec.Activity) return null;
        if (use.Percent is null) return $"the driver does not tell whether its processes work on {use.Gpus}";
        return use.Percent > 0 ? null : $"its processes hold memory on {use.Gpus} and do nothing there{(spec.Canary is { } url ? $", also while {url} is answered" : "")}";
    }
}
