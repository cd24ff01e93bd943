using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

/// <summary>What a verb says beside its data, on stderr: what happened, where, why, and what to do next.</summary>
internal sealed class Report(TextWriter writer, Style style)
{
    public Style Style => style;

    /// <summary>A remark or a line of progress.</summary>
    public void Say(string text) => writer.WriteLine(text);

    /// <summary>Part of a line, shown at once.</summary>
    public void Write(string text)
    {
        writer.Write(text);
        writer.Flush();
    }

    public void Error(string message, string? hint = null)
    {
        writer.WriteLine($"{style.Paint("stoker:", Tone.Bad)} {message}");
        Hint(hint);
    }

    public void Hint(string? hint)
    {
        if (hint is not null) writer.WriteLine($"  {style.Paint("hint:", Tone.Name)} {hint}");
    }

    /// <summary>What the daemon refused; the code to end with follows from why.</summary>
    public ExitCode Rejected(ErrorBody error)
    {
        Error(error.Message, error.Hint);
        return error.Code switch
        {
            ErrorCodes.UnknownService => ExitCode.Usage,
            ErrorCodes.Conflict or ErrorCodes.Refused => ExitCode.Refused,
            ErrorCodes.Invalid => ExitCode.Usage,
            _ => ExitCode.NotAsItShouldBe,
        };
    }
}
