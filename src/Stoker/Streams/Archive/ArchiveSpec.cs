using System.Text.Json.Serialization;

namespace Stoker.Streams.Archive;

/// <summary>
/// Where and how a stream is archived. Properties are settable because the generated reader gives what can only be initialised the type's default where the document
/// lacks it.
/// </summary>
/// <param name="To">A directory's absolute path, or <c>s3://BUCKET/PREFIX</c>.</param>
internal sealed record ArchiveSpec(string To)
{
    public const string Raw = "raw", Enriched = "enriched";

    /// <summary>The variable that may hold a session's token beside the two keys.</summary>
    public const string SessionVariable = "AWS_SESSION_TOKEN";

    public const long UsualSeconds = 300, UsualBytes = 64L << 20;

    /// <summary>What S3 takes in one request.</summary>
    public const long MostBytes = 5L << 30;

    /// <summary>Of a server that is not Amazon's; null: Amazon's in the region.</summary>
    public string? Endpoint { get; set; }

    public string Region { get; set; } = "us-east-1";

    /// <summary>The variable that holds the access key's id.</summary>
    public string AccessKeyVariable { get; set; } = "AWS_ACCESS_KEY_ID";

    /// <summary>The variable that holds the access key's secret.</summary>
    public string SecretKeyVariable { get; set; } = "AWS_SECRET_ACCESS_KEY";

    /// <summary>The age of its first event at which an object is closed.</summary>
    public long EverySeconds { get; set; } = UsualSeconds;

    /// <summary>Of an object, compressed, at which it is closed.</summary>
    public long Bytes { get; set; } = UsualBytes;

    /// <summary>Of the environment, all that hold its secrets.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Variables => [AccessKeyVariable, SecretKeyVariable, SessionVariable];

    public IReadOnlyList<string> What { get; set; } = [Raw, Enriched];
}
