using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Models.Speed;
using Xunit;

namespace Stoker.Tests.Models.Speed;

/// <summary>From the times of a stream's events to a speed, or to why there is none.</summary>
public sealed class SpeedCourseTests
{
    private const string Role = """{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""";
    private const string Text = """{"choices":[{"index":0,"delta":{"content":" one"},"finish_reason":null}]}""";
    private const string Stop = """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""";
    private const string Done = "[DONE]";

    [Fact]
    public void The_speed_is_that_between_the_first_token_and_the_last()
    {
        // 2 s to the first token, then one each 100 ms.
        var measured = Measured(Run([(Role, 500), .. Tokens(11, from: 2000, step: 100), (Stop, 9000), (Usage(11), 9500), (Done, 9900)]));
        Assert.Equal(TimeSpan.FromSeconds(2), measured.FirstToken);
        Assert.Equal(11, measured.Tokens);
        Assert.Equal(10, measured.PerSecond, 6);
        Assert.False(measured.IsCounted);
    }

    [Fact]
    public void Where_no_usage_is_told_each_event_is_a_token_and_that_is_said()
    {
        var measured = Measured(Run([.. Tokens(9, from: 0, step: 250), (Stop, 2001), (Done, 2002)]));
        Assert.Equal(9, measured.Tokens);
        Assert.Equal(4, measured.PerSecond, 6);
        Assert.True(measured.IsCounted);
    }

    [Fact]
    public void Several_tokens_in_each_event_are_all_counted_but_those_of_the_first()
    {
        // 4 events of 16 tokens, one each second.
        var measured = Measured(Run([.. Tokens(4, from: 100, step: 1000), (Stop, 3200), (Usage(64), 3200), (Done, 3200)]));
        Assert.Equal(64, measured.Tokens);
        Assert.Equal(16, measured.PerSecond, 6);
    }

    [Fact]
    public void Thoughts_that_are_shown_are_tokens()
    {
        const string thought = """{"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}""";
        var measured = Measured(Run([(thought, 100), (thought, 200), .. Tokens(8, from: 300, step: 100), (Stop, 1100), (Usage(10, thought: 2), 1100), (Done, 1100)]));
        Assert.Equal(TimeSpan.FromMilliseconds(100), measured.FirstToken);
        Assert.Equal(10, measured.Tokens);
        Assert.Equal(10, measured.PerSecond, 6);
    }

    [Fact]
    public void Thoughts_that_are_kept_back_are_not_in_the_speed_of_what_is_shown()
    {
        var measured = Measured(Run([.. Tokens(11, from: 5000, step: 100), (Stop, 6000), (Usage(511, thought: 500), 6000), (Done, 6000)]));
        Assert.Equal(11, measured.Tokens);
        Assert.Equal(10, measured.PerSecond, 6);
    }

    [Fact]
    public void Few_tokens_say_nothing_of_a_speed()
    {
        var unclear = Assert.IsType<SpeedOutcome.Unclear>(Run([.. Tokens(7, from: 50, step: 10), (Stop, 200), (Usage(7), 200), (Done, 200)]));
        Assert.Equal("too short to say: 7 tokens", unclear.Why);
        Assert.Equal(TimeSpan.FromMilliseconds(50), unclear.FirstToken);
    }

    [Fact]
    public void Nothing_is_said_of_an_answer_that_comes_at_once()
    {
        var unclear = Assert.IsType<SpeedOutcome.Unclear>(Run([(Text, 900), (Stop, 900), (Usage(64), 900), (Done, 900)]));
        Assert.Equal("all 64 tokens came at once", unclear.Why);
    }

    [Fact]
    public void An_answer_that_is_not_whole_has_failed_however_fast_it_was()
    {
        Assert.Equal("the stream ended before its end, after 40 pieces of the answer", Failed(Run(Tokens(40, from: 0, step: 10))));
        Assert.Equal("the connection broke (reset), after 1 piece of the answer", Failed(Run(Tokens(1, from: 0, step: 10), "the connection broke (reset)")));
    }

    [Fact]
    public void What_breaks_after_the_end_of_the_answer_takes_nothing_from_it() =>
        Assert.Equal(10, Measured(Run([.. Tokens(11, from: 0, step: 100), (Stop, 1000)], "the connection broke (reset)")).PerSecond, 6);

    [Fact]
    public void An_error_in_the_stream_is_told_in_the_words_of_the_engine()
    {
        Assert.Equal("the stream says: out of memory", Failed(Run([.. Tokens(20, from: 0, step: 10), ("""{"error":{"message":"out of memory","code":500}}""", 300), (Done, 300)])));
        Assert.Equal("an event of the stream is no JSON", Failed(Run([.. Tokens(20, from: 0, step: 10), ("<html>", 300), (Stop, 310), (Done, 320)])));
    }

    [Fact]
    public void An_empty_answer_has_failed() =>
        Assert.Equal("the answer ended well and is empty", Failed(Run([(Role, 10), (Stop, 20), (Usage(0), 20), (Done, 20)])));

    [Fact]
    public void A_steady_stream_has_the_speed_that_it_has() => Prop.ForAll(
        Gen.Choose(8, 300).Zip(Gen.Choose(1, 2000)).Zip(Gen.Choose(1, 6)).ToArbitrary(),
        drawn =>
        {
            var ((events, step), each) = (drawn.Item1, drawn.Item2);
            var measured = Measured(Run([.. Tokens(events, from: 77, step), (Stop, 1_000_000), (Usage(events * each), 1_000_000), (Done, 1_000_000)]));
            return Math.Abs(measured.PerSecond - (each * 1000.0 / step)) < 1e-6 * measured.PerSecond;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_are_too_strange_to_be_read() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        bytes => ChatEvent.Read(bytes) is { } read && (read.Error is not null || !read.HasText)).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""{"choices":null,"usage":7,"error":null}""")]
    [InlineData("""{"choices":[7,{"delta":[]},{"delta":{"content":7,"tool_calls":{}}}],"usage":{"completion_tokens":"9"}}""")]
    public void What_is_not_as_it_should_be_is_no_token(string data)
    {
        var read = ChatEvent.Read(Encoding.UTF8.GetBytes(data));
        Assert.False(read.HasText || read.HasThought || read.HasFinish || read.IsDone);
        Assert.Null(read.Tokens);
    }

    private static string Usage(int tokens, int thought = 0) =>
        $"{{\"choices\":[],\"usage\":{{\"completion_tokens\":{tokens},\"completion_tokens_details\":{{\"reasoning_tokens\":{thought}}}}}}}";

    private static IEnumerable<(string Data, int At)> Tokens(int count, int from, int step) => Enumerable.Range(0, count).Select(i => (Text, from + (i * step)));

    private static SpeedOutcome Run(IEnumerable<(string Data, int At)> events, string? broken = null)
    {
        var course = new SpeedCourse();
        foreach (var (data, at) in events) course.Take(ChatEvent.Read(Encoding.UTF8.GetBytes(data)), TimeSpan.FromMilliseconds(at));
        return course.Outcome(broken);
    }

    private static SpeedOutcome.Measured Measured(SpeedOutcome outcome) => Assert.IsType<SpeedOutcome.Measured>(outcome);

    private static string Failed(SpeedOutcome outcome) => Assert.IsType<SpeedOutcome.Failed>(outcome).Why;
}
