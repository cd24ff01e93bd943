using System.Text.Json;
using Stoker.Diagnostics;

namespace Stoker.Daemon.Protocol;

/// <summary>The body of <c>POST /v1/apply</c> and <c>POST /v1/plan</c>: the estate as the caller sees it.</summary>
/// <param name="Files">Absolute paths, in the order of merging.</param>
/// <param name="ProjectDirectory">Absolute; relative paths of the estate are resolved from here. Null: the first file's directory.</param>
/// <param name="Env">The overlay asked for by <c>--env</c>.</param>
/// <param name="Names">Only these services and what they depend on; empty: all active ones.</param>
/// <param name="Variables">The caller's environment, for interpolation and for variables that services take over.</param>
internal sealed record ApplyRequest(IReadOnlyList<string> Files)
{
    public string? ProjectDirectory { get; init; }

    public string? Env { get; init; }

    public string? Host { get; init; }

    public bool Rehearse { get; init; }

    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>Only these services and what they depend on; empty: all active ones.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Services that were asked for by name after that; kept by the daemon with the request, so that the next daemon takes up all that this one runs.</summary>
    public IReadOnlyList<string> Beside { get; init; } = [];

    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Replicas set by <c>stoker scale</c>; kept by the daemon with the request, so that they outlive it.</summary>
    public IReadOnlyDictionary<string, ScaledDocument> Scaled { get; init; } = new Dictionary<string, ScaledDocument>();
}

/// <param name="Declared">What the file said when the service was scaled: another number there takes precedence again.</param>
internal sealed record ScaledDocument(int Replicas, int Declared);

/// <summary>The answer to an <see cref="ApplyRequest"/>, sent when it is accepted or refused, not when it is done.</summary>
/// <param name="Accepted">False: nothing was touched, and an error among the diagnostics says why.</param>
/// <param name="Plan">What will be done, in the shape of <c>stoker plan --json</c>; null when the file could not be read so far.</param>
internal sealed record ApplyResponse(bool Accepted, JsonElement? Plan, IReadOnlyList<DiagnosticDocument> Diagnostics)
{
    /// <summary>Services of this host that it keeps or starts: not those that it stops, and not those that start on request only.</summary>
    public IReadOnlyList<string> ComesUp { get; init; } = [];
}

/// <summary>A <see cref="Diagnostic"/> as JSON; line 0 means the file as a whole.</summary>
/// <param name="Severity"><c>error</c>, <c>warning</c> or <c>information</c>.</param>
internal sealed record DiagnosticDocument(string Code, string Severity, string File, int Line, int Column, string Message, string? Hint)
{
    public static DiagnosticDocument From(Diagnostic diagnostic) => new(
        diagnostic.Code.Id,
        diagnostic.Severity.ToString().ToLowerInvariant(),
        diagnostic.Where.File,
        diagnostic.Where.Line,
        diagnostic.Where.Column,
        diagnostic.Message,
        diagnostic.Hint);
}
