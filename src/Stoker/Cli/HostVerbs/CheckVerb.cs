using Stoker.Estates;
using Stoker.Hosts.Checks;

namespace Stoker.Cli.HostVerbs;

internal static class CheckVerb
{
    public static Verb Create()
    {
        var output = new CheckOutput();
        return new Verb("check", "hold this machine to what the estate declares of its host: processors, memory, GPUs, and its checks")
        {
            Example = "stoker host check --host mainpc",
            Remarks =
            [
                "Each line has what was expected, what was found, where, and a way to mend it. What cannot be looked at is unknown, and unknown is not passed: anything but passed ends with 1. "
                + "Nothing is changed. docs/hosts.md has the kinds of checks.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Interrupted],
        }.With(output.JUnit, output.Tap).Does(run => RunAsync(run, output));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, CheckOutput output)
    {
        if (HostReading.Of(run) is not var (spec, host)) return ExitCode.EstateIsWrong;
        IReadOnlyList<CheckSpec> checks = [.. DeclaredCheck.Of(host), .. spec.Part<ChecksSpec>()?.Hosts.GetValueOrDefault(host.Name) ?? []];
        if (checks.Count == 0) run.Report.Say($"`hosts.{host.Name}` declares nothing that could be checked: give it `cpus`, `memory`, `gpus` or `checks`");
        return await output.RunAsync(run, host.Name.Value, checks);
    }
}

/// <summary>The estate and the host of it that this machine is, for verbs that need both.</summary>
internal static class HostReading
{
    /// <summary>Null when the files are wrong, or it cannot be said which host this is; that has been said then.</summary>
    public static (EstateSpec Spec, HostSpec Host)? Of(Invocation run)
    {
        if (Estate(run) is not { } spec) return null;
        if (ThisHost.Of(run, spec) is { } host) return (spec, host);
        var names = spec.Hosts.Keys.Select(h => h.Value).Order(StringComparer.Ordinal).ToList();
        var problem = names.Count == 0 ? $"`{spec.Name}` declares no hosts"
            : run.Host is { } asked ? $"`{spec.Name}` has no host `{asked}`"
            : $"it cannot be said which of the hosts {string.Join(", ", names)} this machine is";
        var hint = names.Count == 0 ? "declare this machine in `hosts`"
            : run.Host is { } wrong ? Diagnostics.Suggestion.For(wrong, names) ?? $"the hosts are {string.Join(", ", names)}"
            : $"say it: `--host {names[0]}`";
        run.Report.Error(problem, hint);
        return null;
    }

    /// <summary>Null when the files are wrong, which has been said then.</summary>
    public static EstateSpec? Estate(Invocation run)
    {
        if (run.Choice is not { } choice) return null;
        var reading = choice.Read(run.Env);
        if (!reading.IsWrong) return reading.Spec;
        DiagnosticPrinter.For(run, reading.Directory).Print(reading.Bag);
        return null;
    }
}
