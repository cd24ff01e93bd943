using System.Globalization;
using System.Text.Json;
using Stoker.Planning;
using Stoker.Streams.Transform;

namespace Stoker.Streams;

/// <summary>How documents are made otherwise than usual: declared mappings, and what of the estate is written beside.</summary>
internal sealed record StreamMapPlan
{
    public TransformSpec Fields { get; set; } = new();

    /// <summary>Where in an event's data the name of its host stands; null: hosts are not looked up.</summary>
    public string? HostPath { get; set; }

    /// <summary>Those that are looked up among; none without <see cref="HostPath"/>.</summary>
    public IReadOnlyList<HostFacts> Hosts { get; set; } = [];

    /// <summary>The same under a version that nothing else has: the owner's word, if there is one, and a hash of all of it.</summary>
    public StreamMapPlan Versioned(string? word)
    {
        var bare = this with { Fields = Fields with { Version = "" } };
        var hash = Fnv.Of(JsonSerializer.SerializeToUtf8Bytes(bare, StreamPlanJson.Default.StreamMapPlan)).ToString("x16", CultureInfo.InvariantCulture)[..8];
        return this with { Fields = Fields with { Version = word is null ? hash : $"{word}-{hash}" } };
    }

    /// <param name="host">Of the stream itself.</param>
    /// <exception cref="IOException">The mappings are none to this program.</exception>
    public EventTransform ToTransform(string? host)
    {
        var (plan, problems) = TransformPlan.Make(Fields);
        if (plan is null) throw new IOException($"the mapping `{problems[0].Path}` is wrong: {problems[0].Message}");
        if (HostPath is null) return new EventTransform(plan, new EventEnrichment(host, null), null);
        var path = FieldPath.TryRead(HostPath, out var reason) ?? throw new IOException($"`{HostPath}` is no path: {reason}");
        return new EventTransform(plan, EventEnrichment.None, new HostDirectory(path, Hosts));
    }
}
