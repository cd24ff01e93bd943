namespace Stoker.Cli.StreamVerbs;

internal static class StreamCommand
{
    public static readonly ExitCode[] Codes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong];

    public static Verb Create() => new Verb("stream", "streams of events: how they are, send, receipts, queries, proofs, dead letters, replay")
    {
        Example = "stoker stream status",
        ExitCodes = [.. Codes, ExitCode.Refused, ExitCode.Interrupted],
    }.With(
        StreamStatusVerbs.List(), StreamStatusVerbs.Status(), SendVerb.Create(), ReceiptVerb.Create(), QueryVerb.Create(), StreamCheck.Create(), VerifyVerb.Create(),
        QuarantineVerb.Create(), ArchiveVerbs.Create(), DeadVerbs.Create(), ReplayVerb.Create());
}
