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
        var log = Parameters.Text("--log", "DIR", "the log of a spool, instead of a stream's");
        return new Verb("quarantine", "set damaged parts of a log aside, so that the rest can be served")
        {
            Example = "stoker stream quarantine gpu-metadata",
            Remarks =
            [
                "Copies the damaged bytes to `quarantine/` in the log's directory and puts a gap in their place, of which every reader is told. No offset is used twice. Refused while the stream's "
                + "process has the log open, and of a topic of Kafka, whose bytes are the brokers'. May be interrupted and done again.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Refused],
        }.With(name, log).Does(run =>
            run.Get(log) is { } path ? Run(run, path, Path.GetFullPath(path, run.World.CurrentDirectory), 1)
            : StreamChoice.Find(run, run.Get(name), out var code) is { } stream ? Run(run, stream) : code);
    }

    private static ExitCode Run(Invocation run, StreamChoice stream)
    {
        if (stream.Plan.Log is null) return Run(run, stream.Name, stream.Log, stream.Plan.Partitions);
        run.Report.Error(
            $"the log of stream `{stream.Name}` is a topic of Kafka",
            "damage there is its brokers' to find and to repair, from their replicas; `stoker stream verify` compares the store with the topic");
        return ExitCode.Refused;
    }

    /// <param name="name">The stream's, or the log's where it is another.</param>
    private static ExitCode Run(Invocation run, string name, string log, int partitions)
    {
        if (Disk.Instance.List(log) is not { Count: > 0 })
        {
            run.Report.Error($"stream `{name}` has no log yet");
            return ExitCode.NotAsItShouldBe;
        }

        using var held = Disk.Instance.Lock(Path.Combine(log, StreamLog.LockName), $"{HostEnvironment.ProcessId}", out var holder);
        if (held is null)
        {
            run.Report.Error($"process {holder} has the log of `{name}` open", $"`stoker stop {name}` first");
            return ExitCode.Refused;
        }

        var report = LogQuarantine.Run(Disk.Instance, log, new LogOptions(partitions));
        if (run.Json)
        {
            run.PrintJson(
                new QuarantineDocument(name, [.. report.Treated.Select(VerifyVerb.Document)], [.. report.Left.Select(VerifyVerb.Document)]), StreamDocumentJson.Readable.QuarantineDocument);
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
