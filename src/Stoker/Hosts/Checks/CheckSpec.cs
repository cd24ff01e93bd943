using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Hosts.Checks;

/// <summary>One assertion about a machine, as the owner wrote it.</summary>
internal sealed record CheckSpec(string Name, CheckSubject Subject, SourcePosition Where)
{
    public string? Description { get; init; }

    /// <summary>Names of checks of the same list.</summary>
    public IReadOnlyList<Positioned<string>> Needs { get; init; } = [];

    /// <summary>Times that it is made again while it does not pass.</summary>
    public int Retries { get; init; }

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Of each time.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How to mend it; null: what is usual.</summary>
    public string? Hint { get; init; }
}

/// <summary>What is asserted. Null is what is not asked for.</summary>
internal abstract record CheckSubject
{
    private CheckSubject()
    {
    }

    /// <summary>The key in the file: <c>file</c>, <c>kernel_parameter</c>.</summary>
    public abstract string Kind { get; }

    internal sealed record File(
        string Path, bool Exists, string? Type, int? Mode, string? Owner, string? Group, Expectation? Size, IReadOnlyList<Expectation> Contains, string? Sha256,
        string? LinkTo) : CheckSubject
    {
        public override string Kind => "file";
    }

    internal sealed record Mount(string Path, bool Mounted, Expectation? Source, Expectation? Type, IReadOnlyList<Expectation> Options, Expectation? Size, Expectation? Free) : CheckSubject
    {
        public override string Kind => "mount";
    }

    internal sealed record Package(string Name, bool Installed, Expectation? Version) : CheckSubject
    {
        public override string Kind => "package";
    }

    internal sealed record Service(string Name, bool Running, bool? Enabled) : CheckSubject
    {
        public override string Kind => "service";
    }

    /// <param name="Host">Null: this machine.</param>
    internal sealed record Port(int Number, string Protocol, string? Host, bool Open, string? Address) : CheckSubject
    {
        public override string Kind => "port";
    }

    internal sealed record User(string Name, bool Exists, long? Uid, string? Group, IReadOnlyList<string> Groups, string? Home, string? Shell) : CheckSubject
    {
        public override string Kind => "user";
    }

    internal sealed record GroupOfUsers(string Name, bool Exists, long? Gid, IReadOnlyList<string> Members) : CheckSubject
    {
        public override string Kind => "group";
    }

    internal sealed record KernelParameter(string Name, Expectation Is) : CheckSubject
    {
        public override string Kind => "kernel_parameter";
    }

    internal sealed record Command(IReadOnlyList<string> Words, int Exit, IReadOnlyList<Expectation> Output, Expectation? Version) : CheckSubject
    {
        public override string Kind => "command";
    }

    internal sealed record Http(Uri Url, int? Status, IReadOnlyList<Expectation> Body) : CheckSubject
    {
        public override string Kind => "http";
    }

    internal sealed record Dns(string Name, bool Resolves, IReadOnlyList<string> Addresses) : CheckSubject
    {
        public override string Kind => "dns";
    }

    internal sealed record Gpu(Expectation Count, Expectation? Model, Expectation? Memory, Expectation? Driver, Expectation? Cuda) : CheckSubject
    {
        public override string Kind => "gpu";
    }

    internal sealed record Fact(string Path, Expectation Is) : CheckSubject
    {
        public override string Kind => "fact";
    }

    /// <summary>What <c>hosts.NAME</c> declares of the machine itself.</summary>
    internal sealed record Declared(HostSpec Host, DeclaredPart Part) : CheckSubject
    {
        public override string Kind => "declared";
    }
}

internal enum DeclaredPart
{
    Cpus,
    Memory,
    Gpus,
}

/// <summary>A list of checks under a name.</summary>
/// <param name="Checks">Its own and those of what it includes, by name.</param>
/// <param name="Budget">How long all of them may take; null: as long as they do.</param>
internal sealed record ProfileSpec(string Name, string? Description, IReadOnlyList<CheckSpec> Checks, TimeSpan? Budget, SourcePosition Where);

/// <summary>All checks of an estate: those of its hosts, and its profiles with those that Stoker has.</summary>
internal sealed record ChecksSpec(IReadOnlyDictionary<HostName, IReadOnlyList<CheckSpec>> Hosts, IReadOnlyDictionary<string, ProfileSpec> Profiles);
