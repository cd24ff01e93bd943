using Stoker.Platform.Disks;
using Stoker.Platform;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Opening;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream quarantine</c>: damage aside, so that the rest of a log can be served.</summary>
internal static class QuarantineVerb
{
    public static Verb Create()
    {
        var name = StreamChoice.Argument();
        return new Verb("quarantine", "set damaged parts of a log aside, so that the rest can be served")
        {
            Example = "stoker stream quarantine gpu-metadata",
            Remarks =
            [
                "Copies the damaged bytes to `quarantine/` in the log's directory and puts a gap in their place, of which every reader is told. No offset is used twice. Refused while the stream's "
                + "process has the log open, and of a topic of Kafka, whose bytes are the brokers'. May be interrupted and done again.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Refused],
        }.With(name).Does(StreamChoice.With(name, Run));
    }

    private static ExitCode Run(Invocation run, StreamChoice stream)
    {
        if (stream.Plan.Log.Length > 0)
        {
            run.Report.Error($"the log of stream `{stream.Name}` is a topic of Kafka", "damage there is its brokers' to find and to repair, from their replicas; `stoker stream verify` compares the store with the topic");
            return ExitCode.Refused;
        }

        if (Disk.Instance.List(stream.Log) is not { Count: > 0 })
        {
            run.Report.Error($"stream `{stream.Name}` has no log yet");
            return ExitCode.NotAsItShouldBe;
        }

        using var held = Disk.Instance.Lock(Path.Combine(stream.Log, StreamLog.LockName), $"{HostEnvironment.ProcessId}", out var holder);
        if (held is null)
        {
            run.Report.Error($"process {holder} has the log of `{stream.Name}` open", $"`stoker stop {stream.Name}` first");
            return ExitCode.Refused;
        }

        var report = LogQuarantine.Run(Disk.Instance, stream.Log, new LogOptions(stream.Plan.Partitions));
        if (run.Json)
        {
            run.PrintJson(
                new QuarantineDocument(stream.Name, [.. report.Treated.Select(VerifyVerb.Document)], [.. report.Left.Select(VerifyVerb.Document)]), StreamDocumentJson.Readable.QuarantineDocument);
        }
        else
        {
            foreach (var damage in report.Treated) run.Output.WriteLine($"set aside: {damage}");
            if (report.Treated.Count == 0 && report.Left.Count == 0) run.Report.Say("nothing is damaged");
        }

        foreach (var damage in report.Left) run.Report.Error($"still damaged: {damage}");
        if (report.Left.Count > 0) run.Report.Hint("this needs a backup");
        return report.Left.Count == 0 ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }
}
