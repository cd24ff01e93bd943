using Stoker.Daemon.Protocol;

namespace Stoker.Daemon;

/// <summary>What a daemon is told when it begins.</summary>
/// <param name="Estate">The estate's name.</param>
internal sealed record DaemonOptions(StateDirectory State, string Estate)
{
    /// <summary>Applied while the control socket is still being opened; null: the first request comes by <c>POST /v1/apply</c>.</summary>
    public ApplyRequest? First { get; init; }

    /// <summary>Goes on with what the daemon before this one was told: after an upgrade.</summary>
    public bool Resume { get; init; }

    /// <summary>Hears the answer to <see cref="First"/>.</summary>
    public Action<ApplyResponse> FirstApplied { get; init; } = _ => { };

    /// <summary>Where a daemon says why it cannot begin or go on: standard error, by default of nobody.</summary>
    public Action<string> Report { get; init; } = _ => { };
}
