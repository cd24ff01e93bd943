namespace Stoker.Diagnostics;

internal enum Severity
{
    Warning,
    Error,
}

/// <summary>
/// One mistake or remark about what the owner wrote, printed as
/// <c>stoker.yaml:14:7: error EST021: service `vision` depends on unknown service `rediss`</c> and, below it,
/// <c>hint: did you mean `redis`?</c>. Messages are lower case, without a full stop, literals in back-ticks.
/// </summary>
internal sealed record Diagnostic(DiagnosticCode Code, SourcePosition Where, string Message, string? Hint = null)
{
    public Severity Severity { get; init; } = Code.Severity;

    public override string ToString() =>
        $"{Where}: {Severity.ToString().ToLowerInvariant()} {Code.Id}: {Message}";
}

/// <summary>A kind of mistake, declared once. Its id is stable and documented in docs/codes.md.</summary>
/// <param name="Id">Three letters of the capability and three digits: <c>EST021</c>.</param>
/// <param name="Title">What the code is about in general, for the page of codes.</param>
internal sealed record DiagnosticCode(string Id, Severity Severity, string Title);
