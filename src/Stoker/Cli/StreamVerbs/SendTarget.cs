using Stoker.Streams;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Where documents are sent to.</summary>
/// <param name="Name">The stream's, or where there is none here its address, as a file may be called.</param>
/// <param name="Posts">Where it takes them.</param>
/// <param name="MaxBatch">The most that it takes at once.</param>
/// <param name="Dimension">Numbers of each embedding; null: any, or not known.</param>
/// <param name="Spool">Where they wait; null: nowhere.</param>
internal sealed record SendTarget(string Name, Uri Posts, int MaxBatch, int? Dimension, string? Spool)
{
    /// <summary>Null: it is given by its address, and has no key of its owner here.</summary>
    private StreamChoice? Here { get; init; }

    /// <exception cref="StreamSilentException">The key cannot be read.</exception>
    public StreamClient Client(Invocation run, TimeSpan patience, string? keyFile) => new(Posts, patience, Here is { } here ? here.KeyOf(run, keyFile) : StreamChoice.GivenKey(run, keyFile));

    /// <summary>A stream of this host, or the address that was given. Null: neither; that, and what to end with, has been said then.</summary>
    /// <param name="to">An address, instead of a stream of this host.</param>
    /// <param name="spool">Where spools are, one for each target; null: in the state directory.</param>
    public static SendTarget? Find(Invocation run, string? stream, string? to, string? spool, bool noSpool, out ExitCode code)
    {
        var place = spool is null ? null : Path.GetFullPath(spool, run.World.CurrentDirectory);
        if (to is null)
        {
            return StreamChoice.Find(run, stream, out code) is not { } found ? null : new SendTarget(
                found.Name, new Uri(StreamClient.AddressOf(found.Plan), found.Plan.Path), found.Plan.MaxBatch, found.Plan.Dimension,
                noSpool ? null : place is null ? Path.Combine(found.Directory, "spool") : Path.Combine(place, found.Name)) { Here = found };
        }

        code = ExitCode.Usage;
        if (AddressOf(to) is not { } posts)
        {
            run.Report.Error($"`--to {to}` is no address of a stream", "an URL with http or https, as in http://127.0.0.1:8010/metadata");
            return null;
        }

        var name = string.Concat(posts.Authority.Concat(posts.AbsolutePath.TrimEnd('/')).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' ? letter : '_'));
        if (noSpool) return new SendTarget(name, posts, int.MaxValue, null, null);
        code = ExitCode.EstateIsWrong;
        place ??= run.State is { } state ? Path.Combine(state.Path, "spools") : null;
        if (place is not null) return new SendTarget(name, posts, int.MaxValue, null, Path.Combine(place, name));
        run.Report.Hint("or say where documents wait while the stream is away: `--spool DIR`, or `--no-spool`");
        return null;
    }

    private static Uri? AddressOf(string text) =>
        !Uri.TryCreate(text, UriKind.Absolute, out var posts) || posts.Scheme is not ("http" or "https") || posts.Query.Length > 0 || posts.UserInfo.Length > 0 ? null
        : posts.AbsolutePath == "/" ? new Uri(posts, StreamPlan.UsualPath) : posts;
}
