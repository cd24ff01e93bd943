using System.CommandLine;
using Stoker.Diagnostics;
using Stoker.Hosts.Checks;

namespace Stoker.Cli.HostVerbs;

internal static class DoctorCommand
{
    private const string Usual = "onboarding";

    public static Verb Create()
    {
        var output = new CheckOutput();
        var profile = Parameters.Text("--profile", "NAME,…", $"the list of checks: onboarding, gpu, gateway, or one of `doctor:` in the estate file; several make one report (default {Usual})");
        var show = Parameters.Flag("--show", "print the built-in profiles as a file, to begin one's own with; nothing is checked");
        var list = Parameters.Flag("--list", "show which profiles there are");
        return new Verb("doctor", "go through a list of checks on this machine: what is wrong, where it shows, and how to mend it")
        {
            Example = "stoker doctor --profile gpu",
            Remarks =
            [
                "Needs no estate; where there is one, the profiles of its `doctor:` are there as well, and a file may have nothing but `doctor:`: `stoker -f team.yaml doctor --profile ours`. "
                + "Anything but passed ends with 1.",
                "Of several profiles a check that more than one has is made once, in the first; a profile with a `budget` is cut off when that is used up, and what is left of it is unknown.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Interrupted],
        }.With(profile, show, list, output.JUnit, output.Tap).Does(run => RunAsync(run, output, profile, show, list));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, CheckOutput output, Option<string?> profile, Option<bool> show, Option<bool> list)
    {
        if (run.Get(show))
        {
            run.Output.Write(BuiltInProfiles.Text);
            return ExitCode.Done;
        }

        if (Profiles(run) is not { } profiles) return ExitCode.EstateIsWrong;
        if (run.Get(list))
        {
            foreach (var line in Table.Lay(
                [new("PROFILE"), new("CHECKS", Right: true), new("FOR")],
                [.. profiles.Values.Select(p => new TableRow([new(p.Name, Tone.Name), new($"{p.Checks.Count}"), new(p.Description ?? "")]))],
                run.Width,
                run.Style))
            {
                run.Output.WriteLine(line);
            }

            return ExitCode.Done;
        }

        var lists = new List<CheckList>();
        foreach (var name in (run.Get(profile) ?? Usual).Split(',', StringSplitOptions.TrimEntries).Distinct())
        {
            if (!profiles.TryGetValue(name, out var found))
            {
                run.Report.Error($"there is no profile `{name}`", Suggestion.For(name, profiles.Keys) ?? $"there are {string.Join(", ", profiles.Keys)}");
                return ExitCode.Usage;
            }

            lists.Add(new CheckList(name, found.Checks, found.Budget));
        }

        return await output.RunAsync(run, lists);
    }

    private static IReadOnlyDictionary<string, ProfileSpec>? Profiles(Invocation run)
    {
        if (!run.HasEstate) return ProfileReader.BuiltIn();
        if (HostReading.Estate(run) is not { } estate) return null;
        return estate.Part<ChecksSpec>()?.Profiles is { Count: > 0 } own ? own : ProfileReader.BuiltIn();
    }
}
