using System.Globalization;

namespace Stoker.Estates.Reading;

/// <summary>
/// Brings together <c>restart</c>, <c>deploy.restart_policy</c>, which Compose lets go before it, and the extension
/// <c>restart_policy</c>, which refines either.
/// </summary>
internal static class RestartReader
{
    private static readonly string[] Words = ["no", "always", "on-failure", "unless-stopped"];

    private sealed record Choice(string Key, RestartMode Mode, int? MaxAttempts, Diagnostics.SourcePosition Where);

    public static RestartSpec Read(ServiceSource source)
    {
        var own = source.Map.Map("restart_policy");
        var deploy = source.Map.Map("deploy").Map("restart_policy");
        var written = ReadRestart(source);
        var deployed = ReadCondition(deploy, "deploy.restart_policy", RestartMode.Always);
        if (written is not null && deployed is not null && !Agree(written, deployed))
            source.Report(EstateDiagnostics.NoEffect, written.Where, "has a `restart` without effect: `deploy.restart_policy` says otherwise, and goes before it");
        var general = deployed ?? written;
        var refined = ReadCondition(own, "restart_policy", null);
        if (general is not null && refined is not null && !Agree(general, refined))
        {
            source.Report(EstateDiagnostics.Contradiction, refined.Where, $"says when to restart in `{general.Key}` and, differently, in `restart_policy`", "keep one of them");
            return RestartSpec.Never;
        }

        var policies = new[] { own, deploy }.OfType<MappingNode>().ToList();

        // A policy without a condition restarts on any end, as Compose says.
        var mode = (general ?? refined)?.Mode ?? (own is null ? RestartMode.No : RestartMode.Always);
        var defaults = RestartSpec.Never;
        return new RestartSpec(mode, First(p => p.Int("max_attempts")) ?? general?.MaxAttempts)
        {
            Delay = First(p => p.Duration("delay")) ?? defaults.Delay,
            MaxDelay = First(p => p.Duration("max_delay")) ?? defaults.MaxDelay,
            Factor = First(p => p.Number("factor")) ?? defaults.Factor,
            Window = First(p => p.Duration("window")) ?? defaults.Window,
        };

        T? First<T>(Func<MappingNode, T?> read) where T : struct => policies.Select(read).FirstOrDefault(v => v is not null);
    }

    private static bool Agree(Choice one, Choice other) => one.Mode == other.Mode
        || (one.Mode is RestartMode.Always or RestartMode.UnlessStopped && other.Mode == RestartMode.Always);

    private static Choice? ReadRestart(ServiceSource source)
    {
        if (source.Map.Scalar("restart") is not { Value: { Length: > 0 } text } scalar) return null;
        var colon = text.IndexOf(':');
        var word = colon < 0 ? text : text[..colon];
        RestartMode? mode = word switch
        {
            "no" => RestartMode.No,
            "always" => RestartMode.Always,
            "on-failure" => RestartMode.OnFailure,
            "unless-stopped" => RestartMode.UnlessStopped,
            _ => null,
        };
        int? attempts = colon >= 0 && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
        if (mode is { } known && (colon < 0 || (known == RestartMode.OnFailure && attempts is not null)))
            return new Choice("restart", known, attempts, scalar.Where);
        source.Report(EstateDiagnostics.InvalidRestart, scalar.Where, $"has `restart` `{text}`, which is not `no`, `always`, `on-failure[:N]` or `unless-stopped`",
            mode is null ? Diagnostics.Suggestion.For(word, Words) : "only `on-failure` takes a number of attempts, as in `on-failure:5`");
        return null;
    }

    private static Choice? ReadCondition(MappingNode? policy, string key, RestartMode? otherwise)
    {
        if (policy is null) return null;
        var condition = policy.Scalar("condition");
        RestartMode? mode = condition?.Value switch
        {
            "none" => RestartMode.No,
            "on-failure" => RestartMode.OnFailure,
            "any" => RestartMode.Always,
            _ => otherwise,
        };
        return mode is { } known ? new Choice(key, known, null, condition?.Where ?? policy.Where) : null;
    }
}
