using System.Globalization;
using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>
/// How much a replica may use and must be able to have. Compose has two places for most of it, which must say the same.
/// </summary>
internal static class ResourceReader
{
    private static readonly string[] KnownLimits =
        ["as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"];

    public static ResourceSpec Read(ServiceSource source)
    {
        var resources = source.Map.Map("deploy").Map("resources");
        var limits = resources.Map("limits");
        var reservations = resources.Map("reservations");
        var written = new[] { source.Map.Find("cpus"), source.Map.Find("mem_limit"), source.Map.Find("pids_limit"), limits, reservations, source.Map.Find("gpus"), source.Map.Find("gpu") };
        return new ResourceSpec
        {
            CpuLimit = One(source, "cpus", limits, "cpus", "limits", (m, k) => m.Number(k)) is > 0 and var cpus ? cpus : null,
            MemoryLimit = One(source, "mem_limit", limits, "memory", "limits", (m, k) => m.Size(k)) is { Bytes: > 0 } memory ? memory : null,
            PidsLimit = One(source, "pids_limit", limits, "pids", "limits", (m, k) => m.Whole(k)) is > 0 and var pids ? pids : null,
            CpuReservation = reservations.Number("cpus"),
            MemoryReservation = One(source, "mem_reservation", reservations, "memory", "reservations", (m, k) => m.Size(k)),
            Gpus = GpuReader.Read(source, reservations),
            Where = written.FirstOrDefault(n => n is not null)?.Where ?? default,
        };
    }

    public static int ReadReplicas(ServiceSource source) =>
        One(source, "scale", source.Map.Map("deploy"), "replicas", "", (m, k) => m.Int(k)) is >= 0 and var replicas ? replicas : 1;

    public static IReadOnlyList<UlimitSpec> ReadUlimits(ServiceSource source)
    {
        var limits = new List<UlimitSpec>();
        foreach (var (name, key, value) in source.Map.Named("ulimits"))
        {
            if (!KnownLimits.Contains(name))
            {
                source.Report(EstateDiagnostics.InvalidUlimit, key.Where, $"has `ulimits` `{name}`, which is no limit of Linux", Suggestion.For(name, KnownLimits));
                continue;
            }

            var map = value as MappingNode;
            var both = value is ScalarNode { Value: { } text } ? Scalars.Whole(text) : null;
            if ((both ?? map.Whole("soft")) is not { } soft || (both ?? map.Whole("hard")) is not { } hard) continue;
            if (hard >= 0 && (soft < 0 || soft > hard))
                source.Report(EstateDiagnostics.InvalidUlimit, value.Where, $"has `ulimits` `{name}` with a soft limit of {soft}, above the hard limit of {hard}");
            else limits.Add(new UlimitSpec(name, soft, hard, value.Where));
        }

        return limits;
    }

    public static LoggingSpec ReadLogging(ServiceSource source)
    {
        var logging = new LoggingSpec();
        var map = source.Map.Map("logging");
        if (map.PositionedText("driver") is { } driver)
        {
            if (driver.Value == "none") return logging with { Keep = false };
            if (driver.Value is not ("json-file" or "local" or "k8s-file"))
                source.Report(EstateDiagnostics.NoEffect, driver.Where, $"has logging driver `{driver.Value}`, which gets nothing: Stoker keeps the output in its own files");
        }

        foreach (var (option, key, value) in map.Named("options"))
        {
            if (value is not ScalarNode { Value: { } text }) continue;
            switch (option)
            {
                case "max-size" when Scalars.Size(text) is { Bytes: > 0 } size:
                    logging = logging with { MaxSize = size };
                    break;
                case "max-file" when Scalars.Whole(text) is > 0 and <= 1000 and var files:
                    logging = logging with { MaxFiles = (int)files };
                    break;
                case "max-size" or "max-file":
                    var expected = option == "max-size" ? "a size such as `10m`" : "a number from 1 to 1000";
                    source.Report(EstateDiagnostics.WrongValue, value.Where, $"has logging option `{option}` `{text}`, which is not {expected}");
                    break;
                default:
                    source.Report(EstateDiagnostics.NoEffect, key.Where, $"has logging option `{option}` without effect: only `max-size` and `max-file` are acted on");
                    break;
            }
        }

        return logging;
    }

    /// <summary>A value that Compose lets stand at the service or in <c>deploy</c>.</summary>
    private static T? One<T>(ServiceSource source, string own, MappingNode? deploy, string key, string section, Func<MappingNode?, string, T?> read)
        where T : struct
    {
        var near = read(source.Map, own);
        var far = read(deploy, key);
        if (near is { } a && far is { } b && !a.Equals(b))
        {
            var path = section.Length == 0 ? $"deploy.{key}" : $"deploy.resources.{section}.{key}";
            source.Report(EstateDiagnostics.Contradiction, deploy!.Find(key)!.Where,
                string.Create(CultureInfo.InvariantCulture, $"says `{source.Map.Text(own)}` in `{own}` and `{deploy.Text(key)}` in `{path}`"), "keep one of them");
        }

        return near ?? far;
    }
}
