using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Streams;

/// <summary>All of <c>streams:</c>.</summary>
internal sealed record StreamsSpec(IReadOnlyList<StreamSpec> Streams);

/// <summary>What one stream declares. Its name is that of its service, too.</summary>
/// <param name="Store"><c>sqlite:</c> with an absolute path, or <c>postgres://…</c>, without a password; empty: a file beside the log.</param>
internal sealed record StreamSpec(ServiceName Name, IPEndPoint Listen, string Store, SourcePosition Where)
{
    /// <summary>The variable of the daemon's environment that has the store's password.</summary>
    public string? PasswordVariable { get; init; }

    /// <summary><c>kafka://…</c>, without a password; empty: the embedded one.</summary>
    public string Log { get; init; } = "";

    /// <summary>The variable of the daemon's environment that has the password of Kafka's user.</summary>
    public string? LogPasswordVariable { get; init; }

    public string Path { get; init; } = StreamPlan.UsualPath;

    public Positioned<HostName>? Host { get; init; }

    /// <summary>0: as the topic has.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Null: any.</summary>
    public int? Dimension { get; init; }

    public ByteSize MaxEvent { get; init; } = ByteSize.FromMebibytes(1);

    public int MaxBatch { get; init; } = 10_000;

    public TimeSpan? KeepFor { get; init; }

    public ByteSize? KeepBytes { get; init; }
}
