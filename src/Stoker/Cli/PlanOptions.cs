using System.CommandLine;
using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Cli;

/// <summary>The options that <c>plan</c> and <c>up</c> share, because the one says what the other would do.</summary>
internal sealed class PlanOptions
{
    public Argument<string[]> Names { get; } = Parameters.Names("only these services and what they depend on");

    public Option<bool> Rehearse { get; } = Parameters.Flag("--rehearse", "stand in for commands, images and GPUs that are missing here, and for nothing else");

    public Option<string[]> Profile { get; } = Parameters.Texts("--profile", "NAME", "also the services of this profile");

    public PlanRequest Read(Invocation run) => new()
    {
        Host = run.Host is { } host ? new HostName(host) : null,
        Rehearse = run.Get(Rehearse),
        Profiles = (run.Get(Profile) ?? []).ToHashSet(),
        Names = [.. (run.Get(Names) ?? []).Select(n => new ServiceName(n))],
    };
}
