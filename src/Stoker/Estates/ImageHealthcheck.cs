namespace Stoker.Estates;

/// <summary>
/// What the image of a container says of its health (<c>HEALTHCHECK</c> of a Dockerfile). Known when the container runs: the image is
/// pulled or built by then. A time that it does not say is null.
/// </summary>
/// <param name="Command">Words of the check; null: it has none, or says <c>NONE</c>.</param>
internal sealed record ImageHealthcheck(IReadOnlyList<string>? Command)
{
    public TimeSpan? Interval { get; init; }

    public TimeSpan? Timeout { get; init; }

    public int? Retries { get; init; }

    public TimeSpan? StartPeriod { get; init; }

    public TimeSpan? StartInterval { get; init; }

    public static ImageHealthcheck None { get; } = new((IReadOnlyList<string>?)null);

    /// <summary>As Compose has it: each key of the file counts, and what the file does not say is as the image says.</summary>
    public HealthcheckSpec Under(HealthcheckSpec declared) => declared with
    {
        Probe = declared.Probe is not ProbeSpec.Image ? declared.Probe : Command is null ? new ProbeSpec.None() : new ProbeSpec.Exec(Command),
        Interval = Of(declared, HealthcheckTimes.Interval, Interval) ?? declared.Interval,
        Timeout = Of(declared, HealthcheckTimes.Timeout, Timeout) ?? declared.Timeout,
        Retries = Of(declared, HealthcheckTimes.Retries, Retries) ?? declared.Retries,
        StartPeriod = Of(declared, HealthcheckTimes.StartPeriod, StartPeriod) ?? declared.StartPeriod,
        StartInterval = Of(declared, HealthcheckTimes.StartInterval, StartInterval) ?? declared.StartInterval,
        LeftToImage = HealthcheckTimes.None,
    };

    private static T? Of<T>(HealthcheckSpec declared, HealthcheckTimes time, T? own)
        where T : struct => declared.LeftToImage.HasFlag(time) ? own : null;
}

/// <summary>The numbers of a healthcheck that a file can leave out.</summary>
[Flags]
internal enum HealthcheckTimes
{
    None = 0,
    Interval = 1,
    Timeout = 2,
    Retries = 4,
    StartPeriod = 8,
    StartInterval = 16,
}
