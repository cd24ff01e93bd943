namespace Stoker.Cli.StreamVerbs;

/// <summary>Counts and tells what became of each document.</summary>
internal sealed class SendTally(Invocation run, bool quiet)
{
    private readonly bool _repaint = run.World.Terminal.ErrorIsTerminal && (quiet || !run.World.Terminal.OutputIsTerminal);
    private long _accepted;
    private long _spooled;

    public long Rejected { get; private set; }

    public void Say(string text)
    {
        if (_repaint) run.Report.Write("\r\e[K");
        run.Report.Say(text);
    }

    public void Tell(SentDocument sent)
    {
        if (sent.IsAccepted) _accepted++;
        else if (sent.Status == SentDocument.Spooled) _spooled++;
        else Rejected++;
        if (run.Json) run.PrintJson(sent, StreamDocumentJson.Readable.SentDocument);
        else if (sent.IsAccepted && !quiet) run.Output.WriteLine($"{sent.Receipt}  {sent.Id}");
        else if (sent.Status == SentDocument.Spooled && !quiet) run.Output.WriteLine($"spooled  {sent.Place}");
        if (sent.Mistakes.Count > 0 && !run.Json) TellMistakes(sent);
        if (_repaint && (_accepted + _spooled) % 500 == 0) run.Report.Write($"\r\e[K{_accepted:N0} taken");
    }

    public void End() => Say($"{_accepted:N0} taken{(_spooled > 0 ? $", {_spooled:N0} in the spool" : "")}{(Rejected > 0 ? $", {Rejected:N0} rejected" : "")}");

    private void TellMistakes(SentDocument sent)
    {
        foreach (var mistake in sent.Mistakes)
        {
            var more = (mistake.Expected, mistake.Got) switch
            {
                ({ } expected, { } got) => $" (expected {expected}, got {got})",
                ({ } expected, null) => $" (expected {expected})",
                (null, { } got) => $" (got {got})",
                _ => "",
            };
            Say($"{sent.Place}: {run.Report.Style.Paint(mistake.Path, Tone.Bad)}: {mistake.Message}{more}");
        }
    }
}
