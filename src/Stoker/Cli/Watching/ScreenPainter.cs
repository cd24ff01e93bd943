using System.Text;

namespace Stoker.Cli.Watching;

/// <summary>Turns a screen of lines into what has to be sent: the lines that changed, each at its place. Nothing when nothing did.</summary>
internal sealed class ScreenPainter
{
    // https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036: terminals that know it show a frame whole, others ignore it.
    // A line that is wider than the screen ends at its edge, and does not push the others down.
    private const string BeginFrame = "\e[?2026h\e[?7l";
    private const string EndFrame = "\e[?7h\e[?2026l";

    private IReadOnlyList<string> _shown = [];

    public string Paint(IReadOnlyList<string> lines)
    {
        var frame = new StringBuilder();
        for (var i = 0; i < Math.Max(lines.Count, _shown.Count); i++)
        {
            var line = i < lines.Count ? lines[i] : "";
            if (i < _shown.Count && _shown[i] == line) continue;
            frame.Append($"\e[{i + 1};1H").Append(line).Append("\e[K");
        }

        _shown = lines;
        return frame.Length == 0 ? "" : BeginFrame + frame + EndFrame;
    }

    /// <summary>The terminal's size changed: nothing of what it shows can be relied on.</summary>
    public string Clear()
    {
        _shown = [];
        return "\e[2J";
    }
}
