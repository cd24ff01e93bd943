using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

/// <summary>
/// Lines of services as people read them, <c>vision | loaded in 3.1 s</c>; the name is left away where one service of one replica alone was asked for.
/// Control characters are the service's own and pass, so that its colours show.
/// </summary>
internal sealed class LogPrinter(Invocation run, IReadOnlyList<string> names, bool isOne, bool timestamps)
{
    // Distinct on light and dark grounds; red is kept for errors.
    private static readonly string[] Colours = ["\e[36m", "\e[33m", "\e[32m", "\e[35m", "\e[34m", "\e[96m", "\e[93m", "\e[92m", "\e[95m", "\e[94m"];

    private int _width = names.Count == 0 ? 0 : names.Max(TextWidth.Of);

    public void Print(LogDocument line)
    {
        if (run.Json)
        {
            run.PrintJson(line, ControlJson.Readable.LogDocument);
            return;
        }

        if (timestamps) run.Output.Write(run.Style.Paint($"{TimeZoneInfo.ConvertTime(line.At, run.World.Clock.LocalTimeZone):yyyy-MM-dd HH:mm:ss.fff} ", Tone.Dim));
        if (!isOne || line.Replica > 1) run.Output.Write(Prefix(line));
        run.Output.WriteLine(line.Text);
    }

    private string Prefix(LogDocument line)
    {
        var name = line.Replica > 1 ? $"{line.Service}.{line.Replica}" : line.Service;
        // Grows with the names seen, so that most lines stand below each other without knowing all names beforehand.
        _width = Math.Max(_width, TextWidth.Of(name));
        var text = TextWidth.Fit(name, _width) + " | ";
        return run.Style.Colour ? Colours[Hash(line.Service) % Colours.Length] + text + "\e[0m" : text;
    }

    // The same name has the same colour in every run, which string.GetHashCode does not give.
    private static int Hash(string name) => name.Aggregate(17, (hash, c) => ((hash * 31) + c) & 0xFFFFFF);
}
