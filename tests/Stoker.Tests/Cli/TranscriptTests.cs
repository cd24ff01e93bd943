using Xunit;

namespace Stoker.Tests.Cli;

public sealed class TranscriptTests
{
    private static string Folder { get; } = Path.Combine(Architecture.Repository.Root, "tests", "Stoker.Tests", "Transcripts");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.txt").Select(f => Path.GetFileName(f)).Order()];

    /// <summary>With STOKER_REWRITE=1 the files become what happened; the difference is then read before it is committed.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_transcript_happens_again_word_for_word(string file)
    {
        var path = Path.Combine(Folder, file);
        var written = await File.ReadAllTextAsync(path);
        var happened = await Transcript.ReplayAsync(written);
        if (Environment.GetEnvironmentVariable("STOKER_REWRITE") == "1") await File.WriteAllTextAsync(path, happened);
        else Assert.Equal(written, happened, ignoreLineEndingDifferences: false);
    }
}
