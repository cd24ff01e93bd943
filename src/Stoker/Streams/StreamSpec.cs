using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Keys;
using Stoker.Streams.Archive;

namespace Stoker.Streams;

/// <summary>All of <c>streams:</c>.</summary>
internal sealed record StreamsSpec(IReadOnlyList<StreamSpec> Streams);

/// <summary>What one stream declares. Its name is that of its service, too.</summary>
/// <param name="Store"><c>sqlite:</c> with an absolute path, or <c>postgres://…</c>, without a password; empty: a file beside the log.</param>
internal sealed record StreamSpec(ServiceName Name, IPEndPoint Listen, string Store, SourcePosition Where)
{
    /// <summary>The variable of the daemon's environment that has the store's password.</summary>
    public string? PasswordVariable { get; init; }

    /// <summary><c>kafka://…</c>, without a password; null: the embedded one.</summary>
    public string? Log { get; init; }

    /// <summary>The variable of the daemon's environment that has the password of Kafka's user.</summary>
    public string? LogPasswordVariable { get; init; }

    public string Path { get; init; } = StreamPlan.UsualPath;

    public Positioned<HostName>? Host { get; init; }

    /// <summary><c>auth: keys</c>.</summary>
    public bool RequiresKeys { get; init; }

    /// <summary>Declared for this stream alone.</summary>
    public IReadOnlyList<DeclaredKeySpec> Keys { get; init; } = [];

    /// <summary>0: as the topic has.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Null: any.</summary>
    public int? Dimension { get; init; }

    public IReadOnlyList<StreamTypePlan> Types { get; init; } = [];

    /// <summary><c>unknown_types: refuse</c>.</summary>
    public bool OnlyDeclaredTypes { get; init; }

    /// <summary>Null: nothing is declared.</summary>
    public StreamMapPlan? Map { get; init; }

    public ByteSize MaxEvent { get; init; } = ByteSize.FromMebibytes(1);

    public int MaxBatch { get; init; } = 10_000;

    public TimeSpan? KeepFor { get; init; }

    public ByteSize? KeepBytes { get; init; }

    /// <summary>Null: none is declared.</summary>
    public ArchiveSpec? Archive { get; init; }
}
