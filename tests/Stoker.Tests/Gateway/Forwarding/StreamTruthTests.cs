using System.Text;
using Stoker.Gateway.Forwarding;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>What each event is to the gateway, and whether a stream was whole when it ended.</summary>
public sealed class StreamTruthTests
{
    private const string Usage = "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}";

    [Theory]
    [InlineData("data: [DONE]\n\n", "Done")]
    [InlineData("data:[DONE]\r\n\r\n", "Done")]
    [InlineData("event: message\ndata: [DONE]\nid: 7\n\n", "Done")]
    [InlineData(": ping\n\n", "Other")]
    [InlineData("event: ping\n\n", "Other")]
    [InlineData("data:\n\n", "Other")]
    [InlineData("database: {}\n\n", "Other")]
    [InlineData("data: {\"choices\":[]}\n\n", "Other")]
    [InlineData("data: {\"choices\":null}\n\n", "Other")]
    [InlineData("data: {\"choices\":[{\"delta\":{}}]}\n\n", "Content")]
    [InlineData("data: {\"choices\":[{\"delta\":{}}],\"usage\":null,\"error\":null}\n\n", "Content")]
    [InlineData("data: {\"choices\":[{\"delta\":{}}]," + Usage + "}\n\n", "Content")]
    [InlineData("data: {\"choices\":[]," + Usage + "}\n\n", "UsageOnly")]
    [InlineData("data: {" + Usage + "}\n\n", "UsageOnly")]
    [InlineData("data: {\"choices\":\ndata: [{\"delta\":{}}]}\n\n", "Content")]
    [InlineData("data: {\"error\":{\"message\":\"no\"}}\n\n", "Error")]
    [InlineData("data: {\"error\":\"no\"}\n\n", "Error")]
    [InlineData("data: {\"choices\":[{\"delta\":{}}],\"error\":{}}\n\n", "Error")]
    [InlineData("data: {}\n\n", "Malformed")]
    [InlineData("data: {\"object\":\"x\"}\n\n", "Malformed")]
    [InlineData("data: []\n\n", "Malformed")]
    [InlineData("data: null\n\n", "Malformed")]
    [InlineData("data: [DONE\n\n", "Malformed")]
    [InlineData("data: {\"choices\":[{\"delta\":{}}]\n\n", "Malformed")]
    [InlineData("data: {\"choices\":[{\"delta\":{}}]}x\n\n", "Malformed")]
    [InlineData("data: {\"choices\":[{\"delta\":{}}]}{\"choices\":[]}\n\n", "Malformed")]
    [InlineData("data: {\"\\ud800\":1,\"choices\":[]}\n\n", "Other")]
    public void An_event_of_completions_is_one_thing(string sse, string kind) => Assert.Equal(kind, Read(StreamDialect.Completions, sse).Kind);

    [Theory]
    [InlineData("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n", "Content")]
    [InlineData("data: {\"type\":\"response.function_call_arguments.delta\"}\n\n", "Content")]
    [InlineData("data: {\"type\":\"response.created\",\"response\":{}}\n\n", "Other")]
    [InlineData("data: {\"type\":\"response.completed\",\"response\":{}}\n\n", "Other")]
    [InlineData("data: {\"type\":\"response.failed\"}\n\n", "Error")]
    [InlineData("data: {\"type\":\"error\",\"message\":\"no\"}\n\n", "Error")]
    [InlineData("data: {\"type\":7}\n\n", "Other")]
    [InlineData("data: 7\n\n", "Malformed")]
    [InlineData("data: {\"type\":\n\n", "Malformed")]
    public void An_event_of_responses_is_one_thing(string sse, string kind) => Assert.Equal(kind, Read(StreamDialect.Responses, sse).Kind);

    [Theory]
    [InlineData("", false)]
    [InlineData("r", false)]
    [InlineData("ra", false)]
    [InlineData("ras", true)]
    [InlineData("s", true)]
    [InlineData("rad", true)]
    [InlineData("d", true)]
    [InlineData("rasu", true)]
    [InlineData("u", false)]
    [InlineData("rau", false)]
    [InlineData("rase", false)]
    [InlineData("raed", false)]
    public void A_stream_is_whole_when_its_choice_has_told_why_it_ended_or_it_is_done(string events, bool whole) => Assert.Equal(whole, Stream(1, events).IsWhole);

    [Theory]
    [InlineData(2, "as", false)]
    [InlineData(2, "asb", false)]
    [InlineData(2, "asbt", true)]
    [InlineData(2, "absd", true)]
    [InlineData(1, "asb", false)]
    [InlineData(100, "as", false)]
    public void Of_several_choices_each_has_to_end(int choices, string events, bool whole) => Assert.Equal(whole, Stream(choices, events).IsWhole);

    [Fact]
    public void What_was_made_after_the_last_usage_is_counted_apart()
    {
        Assert.Equal((4, 4, false), Counts(Stream(1, "raaa")));
        Assert.Equal((4, 0, true), Counts(Stream(1, "raaau")));
        Assert.Equal((6, 2, true), Counts(Stream(1, "raaauaa")));

        static (int, int, bool) Counts(StreamTruth truth) => (truth.Pieces, truth.PiecesSinceUsage, truth.Usage.IsKnown);
    }

    [Fact]
    public void Running_usage_only_grows()
    {
        var truth = new StreamTruth(StreamDialect.Completions, 1);
        foreach (var (prompt, completion) in ((int, int)[])[(3, 1), (3, 5), (0, 2)])
            truth.Read(Encoding.UTF8.GetBytes($"data: {{\"choices\":[{{\"delta\":{{}}}}],\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion},\"prompt_tokens_details\":{{\"cached_tokens\":1}}}}}}\n\n"));
        Assert.Equal((3, 5, 1), (truth.Usage.Prompt, truth.Usage.Completion, truth.Usage.Cached));
    }

    [Theory]
    [InlineData("response.completed", true)]
    [InlineData("response.incomplete", true)]
    [InlineData("response.failed", false)]
    [InlineData("response.output_text.done", false)]
    public void A_response_is_whole_when_it_says_so(string last, bool whole)
    {
        var truth = new StreamTruth(StreamDialect.Responses, 1);
        truth.Read("data: {\"type\":\"response.output_text.delta\"}\n\n"u8);
        truth.Read(Encoding.UTF8.GetBytes($"data: {{\"response\":{{\"output\":[{{\"usage\":{{\"input_tokens\":9}}}}],\"usage\":{{\"input_tokens\":3,\"output_tokens\":2}}}},\"type\":\"{last}\"}}\n\n"));
        Assert.Equal((whole, 3, 2), (truth.IsWhole, truth.Usage.Prompt, truth.Usage.Completion));
    }

    [Theory]
    [InlineData("data: {\"choices\":[]," + Usage + "}\n\n", "data: {\"choices\":[]}\n\n")]
    [InlineData("data: {" + Usage + ",\"choices\":[]}\n\n", "data: {\"choices\":[]}\n\n")]
    [InlineData("data: {" + Usage + "  ,\"choices\":[]}\n\n", "data: {\"choices\":[]}\n\n")]
    [InlineData("data: {\"a\":1 , " + Usage + " , \"choices\":[]}\n\n", "data: {\"a\":1 , \"choices\":[]}\n\n")]
    [InlineData("event: x\r\ndata:{\"choices\":[]," + Usage + "}\r\n\r\n", "event: x\r\ndata:{\"choices\":[]}\r\n\r\n")]
    [InlineData("data: {\"choices\":[],\"usage\":null}\n\n", "data: {\"choices\":[]}\n\n")]
    public void The_usage_of_an_event_can_be_taken_out_and_leaves_JSON(string sse, string without)
    {
        var truth = new StreamTruth(StreamDialect.Completions, 1);
        truth.Read(Encoding.UTF8.GetBytes(sse));
        Assert.Equal(without, sse.Remove(truth.UsageMember.At, truth.UsageMember.Length));
    }

    private static (string Kind, StreamTruth Truth) Read(StreamDialect dialect, string sse)
    {
        var truth = new StreamTruth(dialect, 1);
        return (truth.Read(Encoding.UTF8.GetBytes(sse)).ToString(), truth);
    }

    /// <param name="events">Role, text of choice 0 and 1 (a, b), end of choice 0 and 1 (s, t), usage, done, error.</param>
    private static StreamTruth Stream(int choices, string events)
    {
        var truth = new StreamTruth(StreamDialect.Completions, choices);
        foreach (var letter in events)
        {
            truth.Read(Encoding.UTF8.GetBytes(letter switch
            {
                'r' => Sse.Role,
                'a' => Sse.Text("a"),
                'b' => Sse.Text("b").Replace("\"index\":0", "\"index\":1", StringComparison.Ordinal),
                's' => Sse.Stop,
                't' => Sse.Stop.Replace("\"index\":0", "\"index\":1", StringComparison.Ordinal),
                'u' => $"data: {{\"choices\":[],{Usage}}}\n\n",
                'd' => Sse.Done,
                _ => "data: {\"error\":{}}\n\n",
            }));
        }

        return truth;
    }
}
