using System.Net.Sockets;
using System.Text.RegularExpressions;
using Stoker.Estates;
using Stoker.Hosts.Facts;

namespace Stoker.Hosts.Checks;

/// <summary>
/// Makes a list of checks: those that need no other at once, so many at a time, each after those that it needs, each again while it does not pass and has tries left.
/// </summary>
internal sealed class CheckRun(FactDoors machine, TimeProvider clock)
{
    /// <summary>Most of a check's time is spent on waiting for others.</summary>
    private const int AtOnce = 16;

    /// <summary>What <see cref="MakeAsync"/> found before: a check that several lists have is made once, in the first of them.</summary>
    private readonly Dictionary<CheckSpec, CheckResult> _made = new(ReferenceEqualityComparer.Instance);

    /// <summary>In the order of the list, without those that an earlier list had.</summary>
    /// <param name="budget">After which the rest is unknown; null: there is no end.</param>
    public async Task<IReadOnlyList<CheckResult>> MakeAsync(IReadOnlyList<CheckSpec> checks, TimeSpan? budget, CancellationToken cancel)
    {
        var before = checks.Where(_made.ContainsKey).ToDictionary(check => check.Name, check => Task.FromResult(_made[check]), StringComparer.Ordinal);
        var anew = checks.Where(check => !before.ContainsKey(check.Name)).ToList();
        using var spent = budget is { } time ? new CancellationTokenSource(time, clock) : new CancellationTokenSource();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel, spent.Token);
        var leave = new Leave(() => spent.IsCancellationRequested ? $"the budget of {DurationWords.Of(budget!.Value)} was used up" : "it was cut short", end.Token);
        var results = await MakeAsync(checks, anew, before, leave);
        for (var i = 0; i < anew.Count; i++) _made[anew[i]] = results[i];
        return results;
    }

    private async Task<IReadOnlyList<CheckResult>> MakeAsync(IReadOnlyList<CheckSpec> checks, List<CheckSpec> anew, Dictionary<string, Task<CheckResult>> under, Leave leave)
    {
        // Retries have to look again, so what is asked once is asked once a round of tries.
        var doors = new CheckDoors(machine);
        using var places = new SemaphoreSlim(AtOnce);
        var byName = checks.ToDictionary(c => c.Name, StringComparer.Ordinal);
        return await Task.WhenAll(anew.Select(Begin));

        Task<CheckResult> Begin(CheckSpec check)
        {
            if (under.TryGetValue(check.Name, out var begun)) return begun;
            var needs = check.Needs.Select(n => Begin(byName[n.Value])).ToList();
            return under[check.Name] = MakeAsync(check, needs, doors, places, leave);
        }
    }

    private async Task<CheckResult> MakeAsync(CheckSpec check, List<Task<CheckResult>> needs, CheckDoors doors, SemaphoreSlim places, Leave leave)
    {
        foreach (var need in await Task.WhenAll(needs))
        {
            if (need.Verdict != Verdict.Passed) return NotMade(check, $"needs `{need.Name}`, which {Words(need.Verdict)}");
        }

        var begun = clock.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            var findings = await TryAsync(check, attempt == 1 ? doors : new CheckDoors(machine), places, leave);
            if (findings.Verdict == Verdict.Passed || attempt > check.Retries || leave.Token.IsCancellationRequested)
            {
                var mend = findings.Verdict == Verdict.Passed ? null : check.Hint ?? findings.Mend;
                return new CheckResult(check.Name, check.Subject.Kind, check.Description, findings.Verdict, findings.All, mend, attempt, Math.Round(clock.GetElapsedTime(begun).TotalMilliseconds, 1));
            }

            await Task.Delay(check.Interval, clock, leave.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task<Findings> TryAsync(CheckSpec check, CheckDoors doors, SemaphoreSlim places, Leave leave)
    {
        await places.WaitAsync(CancellationToken.None);
        var findings = new Findings();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(leave.Token);
        var making = Task.Run(() => CheckMaker.MakeAsync(check, doors, findings, end.Token), CancellationToken.None);
        try
        {
            await making.WaitAsync(check.Timeout, clock, leave.Token);
            return findings;
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            // Its own findings may still be written to by what is left behind.
            var instead = new Findings();
            instead.Unknown(check.Subject.Kind, "an answer", late is TimeoutException ? $"it was not made within {check.Timeout.TotalSeconds:0.#} s" : leave.Why());
            return instead;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or ArgumentException or RegexMatchTimeoutException)
        {
            findings.Unknown(check.Subject.Kind, "an answer", e.Message);
            return findings;
        }
        finally
        {
            await end.CancelAsync();
            places.Release();
        }
    }

    private static CheckResult NotMade(CheckSpec check, string why) =>
        new(check.Name, check.Subject.Kind, check.Description, Verdict.Unknown, [new Finding(check.Subject.Kind, "to be made", null, Verdict.Unknown, why)], null, 0, 0);

    private static string Words(Verdict verdict) => verdict == Verdict.Failed ? "failed" : "is unknown";

    /// <summary>Until when checks may be made.</summary>
    /// <param name="Why">Why they were not, when it has ended.</param>
    private sealed record Leave(Func<string> Why, CancellationToken Token);
}
