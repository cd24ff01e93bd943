using Stoker.Hosts.Facts;

namespace Stoker.Cli.HostVerbs;

internal static class FactsVerb
{
    public static Verb Create() => new Verb("facts", "show what this machine is: processors, memory, disks, network, system, sensors, GPUs, runtimes, Python environments")
    {
        Example = "stoker host facts --json",
        Remarks =
        [
            "Everything is read from /proc, /sys, NVML and the tools that own it; nothing is changed. What cannot be read is listed last, with the reason: some of it "
            + "(memory modules, the health of disks) only root may read.",
            "Where an estate is declared here, the places that it names on other machines are tried, each with one connection.",
        ],
    }.Does(RunAsync);

    private static async Task<ExitCode> RunAsync(Invocation run)
    {
        var facts = await FactsReader.ReadAsync(run.World.Facts(), EndpointsOf(run));
        if (run.Json) run.PrintJson(facts, FactsJson.Readable.HostFacts);
        else foreach (var line in FactsPage.Lay(facts, Math.Min(run.Width, 120), run.Style)) run.Output.WriteLine(line);
        return ExitCode.Done;
    }

    /// <summary>Facts need no estate; a file with mistakes is another verb's matter.</summary>
    private static IReadOnlyList<DeclaredEndpoint> EndpointsOf(Invocation run) =>
        run.HasEstate && run.Choice?.Read(run.Env) is { Spec: { } spec } ? DeclaredEndpoints.Of(spec, ThisHost.Of(run, spec)?.Name) : [];
}
