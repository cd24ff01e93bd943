using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Answers;
using Stoker.Gateway.Forwarding;
using Stoker.Http;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>What finds its way through bytes finds the same however they are split, and changes only what it must.</summary>
public sealed class ScanTests
{
    /// <summary>Where to cut: lengths of pieces, used in turn.</summary>
    private static Arbitrary<int[]> Cuts() => (
        from count in Gen.Choose(1, 12)
        from cuts in Gen.Choose(1, 9).ArrayOf(count)
        select cuts).ToArbitrary();

    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\nnext", "hello", "End")]
    [InlineData("5;a=b\r\nhello\r\nA \r\n0123456789\r\n000\r\nt: 1\r\nu: 2\r\n\r\nnext", "hello0123456789", "End")]
    [InlineData("5\r\nhelloX\r\n0\r\n\r\n", "hello", "Broken")]
    [InlineData("g\r\n", "", "Broken")]
    [InlineData("\r\n", "", "Broken")]
    [InlineData("5\nhello\n", "", "Broken")]
    [InlineData("fffffffffffffffff\r\n", "", "Broken")]
    [InlineData("5\r\nhel", "hel", "Wait")]
    public void Chunks_are_the_same_however_they_come(string wire, string body, string ends) => Check.QuickThrowOnFailure(Prop.ForAll(Cuts(), cuts =>
    {
        var (heard, step, rest) = Unchunk(Encoding.ASCII.GetBytes(wire), cuts);
        Assert.Equal((body, ends), (heard, step.ToString()));
        if (step == BodyStep.End) Assert.Equal("next", rest);
    }));

    [Theory]
    [InlineData("data: a\n\ndata: b\n\n", 2)]
    [InlineData("data: a\r\n\r\ndata: b\r\n\r\n", 2)]
    [InlineData("data: a\r\rdata: b\r\r", 2)]
    [InlineData(": c\ndata: a\ndata: b\n\nevent: x\r\ndata: é漢\r\n\r\n", 2)]
    [InlineData("data: a\n\r\ndata: b\r\n\n", 2)]
    [InlineData("data: a\n", 0)]
    public void Events_are_the_same_however_they_come(string wire, int count) => Check.QuickThrowOnFailure(Prop.ForAll(Cuts(), cuts =>
    {
        var (events, rest) = Split(Encoding.UTF8.GetBytes(wire), cuts);
        Assert.Equal(count, events.Count);
        Assert.All(events, one => Assert.Equal(1, Sse.Count(one.Replace("data: a\ndata: b", "data: ab", StringComparison.Ordinal), "data: ")));
        Assert.Equal(wire, string.Concat(events) + rest);
    }));

    [Theory]
    [InlineData("{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}", 3, 4)]
    [InlineData("{\"a\":{\"usage\":{\"prompt_tokens\":9}},\"b\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":8}\",\"usage\":{\"prompt_tokens\":3,\"d\":{\"reasoning_tokens\":1},\"completion_tokens\":4}, \"c\": [\"usage\",{}]}", 3, 4)]
    [InlineData("{\"usage\":null,\"x\":{\"prompt_tokens\":9}}", 0, 0)]
    [InlineData("[{\"usage\":{\"prompt_tokens\":9}}]", 0, 0)]
    public void Usage_is_found_however_it_comes(string json, int prompt, int completion) => Check.QuickThrowOnFailure(Prop.ForAll(Cuts(), cuts =>
    {
        var capture = new UsageCapture();
        foreach (var piece in Pieces(Encoding.UTF8.GetBytes(json), cuts)) capture.Read(piece);
        Assert.Equal((prompt, completion), (capture.Usage.Prompt, capture.Usage.Completion));
        var whole = new UsageCapture();
        whole.ReadWhole(Encoding.UTF8.GetBytes(json));
        Assert.Equal(capture.Usage, whole.Usage);
    }));

    [Theory]
    [InlineData("{\"model\":\"m\"}", "{\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true},\"model\":\"m\"}")]
    [InlineData("{ \"model\":\"m\",\"stream_options\":null}", "{ \"model\":\"m\",\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}}")]
    [InlineData("{\"stream_options\": {} ,\"model\":\"m\"}", "{\"stream_options\": {\"include_usage\":true,\"continuous_usage_stats\":true} ,\"model\":\"m\"}")]
    [InlineData("{\"stream_options\":{\"a\":1},\"model\":\"m\"}", "{\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true,\"a\":1},\"model\":\"m\"}")]
    [InlineData("{\"stream_options\":{\"include_usage\":false,\"a\":1},\"model\":\"m\"}", "{\"stream_options\":{\"continuous_usage_stats\":true,\"include_usage\":true,\"a\":1},\"model\":\"m\"}")]
    [InlineData("{\"stream_options\":{\"continuous_usage_stats\":false},\"model\":\"m\"}", "{\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true},\"model\":\"m\"}")]
    [InlineData("{\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true},\"model\":\"m\"}", "{\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true},\"model\":\"m\"}")]
    public async Task Only_what_asks_for_usage_is_changed_in_a_body(string body, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var scan = default(RequestScan);
        Assert.Equal(ScanFault.None, scan.Read(bytes));
        var edits = default(BodyEdits);
        edits.AskForUsage(scan, continuous: true);
        Assert.Equal(expected.Length, edits.LengthOf(bytes));
        using var wire = new HeldWire();
        Assert.Equal(0, await BodyEdits.SendAsync(wire, new OutputBuffer(), bytes, edits, 0));
        Assert.Equal(expected, wire.Sent);
    }

    [Theory]
    [InlineData(" { \"model\" : \"m\" , \"n\":3,\"max_tokens\":9,\"max_completion_tokens\":5} ", "None", 0, null)]
    [InlineData("{\"m\\u006fdel\":\"m\"}", "None", 0, null)]
    [InlineData("{}", "NoModel", 0, null)]
    [InlineData("[{\"model\":\"m\"}]", "NotAnObject", 0, null)]
    [InlineData("", "NotJson", 0, null)]
    [InlineData("{\"model\":\"m\"}x", "NotJson", 13, null)]
    [InlineData("{\"model\":\"m\",}", "NotJson", 13, null)]
    [InlineData("{\"model\":\"m\",\"a\":[1,]}", "NotJson", 20, null)]
    [InlineData("{\"model\":\"m\" \"a\":1}", "NotJson", 13, null)]
    [InlineData("{\"model\":\"\\ud800\"}", "NotUtf8", 0, null)]
    [InlineData("{\"model\":\"m\",\"m\\u006fdel\":\"x\"}", "Duplicate", 13, "model")]
    [InlineData("{\"messages\":[],\"prompt\":\"x\",\"model\":\"m\"}", "Duplicate", 15, "prompt")]
    [InlineData("{\"model\":7}", "WrongType", 1, "model")]
    [InlineData("{\"model\":\"m\",\"max_tokens\":1.5}", "WrongType", 13, "max_tokens")]
    [InlineData("{\"model\":\"m\",\"n\":0}", "WrongType", 13, "n")]
    [InlineData("{\"model\":\"m\",\"stream_options\":[]}", "WrongType", 13, "stream_options")]
    public void A_body_is_read_or_its_fault_is_told_with_its_place(string body, string fault, int at, string? key)
    {
        var scan = default(RequestScan);
        Assert.Equal(fault, scan.Read(Encoding.UTF8.GetBytes(body)).ToString());
        Assert.Equal((at, key), (scan.FaultAt, scan.FaultKey));
        if (body is [' ', ..]) Assert.Equal((3, 5, "m"), (scan.Choices, scan.MaxTokens, scan.ModelText(Encoding.UTF8.GetBytes(body))));
    }

    /// <summary>Whether a body is UTF-8 is asked only of those that have more than ASCII in them: that must be seen wherever it stands.</summary>
    [Theory]
    [InlineData(new byte[] { 0xff })]
    [InlineData(new byte[] { 0xc3 })]
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 })]
    public void A_body_that_is_not_utf8_is_refused_wherever_it_is_not(byte[] wrong)
    {
        var content = new string('a', 150) + "\\n\\\"" + new string('b', 70);
        var body = Encoding.UTF8.GetBytes("{\"model\":\"m\",\"messages\":[{\"content\":\"" + content + "\"}],\"n\":1,\"stop\":[\"x\"],\"stream_options\":{\"a\":null}}");
        Assert.Equal(ScanFault.None, default(RequestScan).Read(body));
        for (var at = 0; at <= body.Length; at++)
            Assert.Equal(ScanFault.NotUtf8, default(RequestScan).Read([.. body[..at], .. wrong, .. body[at..]]));
    }

    [Fact]
    public void A_body_may_be_nested_as_deep_as_that_and_no_deeper()
    {
        foreach (var (depth, fault) in new[] { (127, ScanFault.None), (128, ScanFault.TooDeep) })
            Assert.Equal(fault, default(RequestScan).Read(Encoding.ASCII.GetBytes($"{{\"model\":\"m\",\"a\":{new string('[', depth)}{new string(']', depth)}}}")));
    }

    [Theory]
    [InlineData("name=\"model\"", "whisper")]
    [InlineData("NAME=model", "whisper")]
    [InlineData("filename=\"f\"; name=\"model\"", null)]
    [InlineData("name=\"a\"; xname=\"model\"", null)]
    [InlineData("name=\"a;name=model\"", null)]
    public void The_model_of_a_form_is_the_part_of_that_name(string disposition, string? model)
    {
        var body = Encoding.UTF8.GetBytes($"--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nmodel\r\n--B\r\nContent-Disposition: form-data; {disposition}\r\n\r\nwhisper\r\n--B--\r\n");
        var found = FormScan.FindModel(body, "multipart/form-data; boundary=B"u8);
        Assert.Equal(model, found.IsThere ? Encoding.UTF8.GetString(body, found.At, found.Length) : null);
    }

    [Theory]
    [InlineData("/v1/chat/completions", true)]
    [InlineData("/v1/chat/completions/?a=b", true)]
    [InlineData("/v1/chat/Completions", false)]
    [InlineData("/v1/chat%2Fcompletions", false)]
    [InlineData("//v1/chat/completions", false)]
    [InlineData("/v2/chat/completions", false)]
    [InlineData("/tokenize", false)]
    [InlineData("/v1/load_lora_adapter", false)]
    public void What_is_not_in_the_table_stays_closed(string target, bool open) => Assert.Equal(open, EndpointTable.Find(Encoding.ASCII.GetBytes(target), out _) is not null);

    [Theory]
    [InlineData(400, "{\"error\":{\"message\":\"no\",\"type\":\"BadRequestError\",\"param\":\"n\",\"code\":400}}", 400, "no", null)]
    [InlineData(400, "{\"object\":\"error\",\"message\":\"This model's maximum context length is 10 tokens\",\"code\":400}", 400, "This model's maximum context length is 10 tokens", "context_length_exceeded")]
    [InlineData(400, "{\"error\":{\"message\":\"The decoder prompt (length 9) is longer than the maximum model length of 4.\",\"type\":\"BadRequestError\",\"code\":400}}", 400, "The decoder prompt (length 9) is longer than the maximum model length of 4.", "context_length_exceeded")]
    [InlineData(422, "{\"error\":\"Input validation error: `inputs` must have less than 4 tokens. Given: 9\",\"error_type\":\"validation\"}", 400, "Input validation error: `inputs` must have less than 4 tokens. Given: 9", "context_length_exceeded")]
    [InlineData(500, "{\"error\":\"the input length exceeds the context length\"}", 400, "the input length exceeds the context length", "context_length_exceeded")]
    [InlineData(500, "{\"error\":\"out of memory: try a smaller context length\"}", 500, "out of memory: try a smaller context length", null)]
    [InlineData(503, "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}", 503, "Loading model", null)]
    [InlineData(422, "{\"error\":\"bad input\",\"error_type\":\"validation\"}", 422, "bad input", "validation")]
    [InlineData(422, "{\"detail\":[{\"loc\":[\"body\",\"n\"],\"msg\":\"too small\"}]}", 422, "body.n: too small", null)]
    [InlineData(500, "Internal Server Error", 500, "Internal Server Error", null)]
    [InlineData(500, "", 500, "the model server answered 500", null)]
    [InlineData(302, "", 502, "the model server answered 302", null)]
    public void Each_engines_error_is_brought_into_one_shape(int status, string body, int shown, string message, string? code)
    {
        var error = EngineErrors.Read(status, Encoding.UTF8.GetBytes(body));
        Assert.Equal((shown, message, code), (error.Status, error.Message, error.Code));
    }

    private static IEnumerable<byte[]> Pieces(byte[] bytes, int[] cuts)
    {
        for (var (at, turn) = (0, 0); at < bytes.Length; turn++)
        {
            var end = Math.Min(bytes.Length, at + cuts[turn % cuts.Length]);
            yield return bytes[at..end];
            at = end;
        }
    }

    private static (string Body, BodyStep Step, string After) Unchunk(byte[] wire, int[] cuts)
    {
        var (framing, body, unread, step) = (new BodyFraming(BodyKind.Chunked, -1), new List<byte>(), new List<byte>(), BodyStep.Wait);
        foreach (var piece in Pieces(wire, cuts))
        {
            unread.AddRange(piece);
            if (step is BodyStep.End or BodyStep.Broken) continue;
            do
            {
                step = framing.Next(unread.ToArray(), out var skip, out var take);
                body.AddRange(unread.GetRange(skip, take));
                unread.RemoveRange(0, skip + take);
            }
            while (step == BodyStep.Piece);
        }

        return (Encoding.ASCII.GetString(body.ToArray()), step, Encoding.ASCII.GetString(unread.ToArray()));
    }

    private static (List<string> Events, string After) Split(byte[] wire, int[] cuts)
    {
        var (scan, events, pending) = (new EventScan(), new List<string>(), new List<byte>());
        foreach (var piece in Pieces(wire, cuts))
        {
            for (var rest = piece; rest.Length > 0;)
            {
                var length = scan.EndOfEvent(rest);
                pending.AddRange(length < 0 ? rest : rest[..length]);
                rest = length < 0 ? [] : rest[length..];
                if (length < 0) continue;
                events.Add(Encoding.UTF8.GetString(pending.ToArray()));
                pending.Clear();
            }
        }

        return (events, Encoding.UTF8.GetString(pending.ToArray()));
    }
}
