using System.Buffers;
using System.Text;
using Confluent.Kafka;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Stoker.Streams.Kafka;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;
using Stoker.Tests.Streams.Events;
using Xunit;

namespace Stoker.Tests.Streams.Kafka;

/// <summary>Events as messages, and messages of everybody as events.</summary>
public sealed class EventMessagesTests
{
    private static readonly Timestamp At = new(new DateTime(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc));

    [Fact]
    public void What_the_door_took_comes_back_to_the_last_bit()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var said = Sane(Envelopes.Random(new System.Random(seed)));
            var message = EventMessages.Of(said, 1_700_000_000_123_456);
            var read = new EventEnvelope();
            return EventMessages.IsOurs(message.Headers) && EventMessages.TryRead(message, read) is null && Envelopes.Show(read) == Envelopes.Show(said)
                && message.Timestamp.UnixTimestampMs == 1_700_000_000_123;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Others_can_read_it_as_a_cloud_event()
    {
        var said = new EventEnvelope { Form = EventForm.CloudEvent, Source = Text("/box"), Id = Text("7"), Type = Text("log.line"), ContentType = Text("text/plain"), HasData = true, Data = Text("ready"), Received = DateTime.UnixEpoch.AddDays(1) };
        said.Add(new EventAttribute(Text("partitionkey"), Text("p"), AttributeKind.Text));
        said.Add(new EventAttribute(Text("count"), Text("3"), AttributeKind.Integer));
        var message = EventMessages.Of(said, 0);
        var headers = message.Headers.ToDictionary(header => header.Key, header => Encoding.UTF8.GetString(header.GetValueBytes()));
        Assert.Equal(("1.0", "7", "/box", "log.line", "text/plain", "3"), (headers["ce_specversion"], headers["ce_id"], headers["ce_source"], headers["ce_type"], headers["content-type"], headers["ce_count"]));
        Assert.Equal(("ready", "p"), (Encoding.UTF8.GetString(message.Value!), Encoding.UTF8.GetString(message.Key)));
        // Also by our own reader of what others write, which passes over what is only ours.
        foreach (var ours in headers.Keys.Where(name => name.StartsWith("stoker_", StringComparison.Ordinal))) message.Headers.Remove(ours);
        Assert.Null(Record(message).Fault);
    }

    [Theory]
    [InlineData("stoker_form", "letter")]
    [InlineData("stoker_received", "yesterday")]
    [InlineData("stoker_dimension", "-1")]
    [InlineData("stoker_kinds", "count=float")]
    [InlineData("stoker_kinds", "nobody=integer")]
    [InlineData("ce_specversion", "0.3")]
    [InlineData("ce_Bad-Name", "x")]
    [InlineData("ce_id", "")]
    public void What_says_that_it_is_ours_and_is_not_whole_is_no_event(string header, string value)
    {
        var message = EventMessages.Of(Sane(Envelopes.Random(new System.Random(1))), 0);
        message.Headers.Remove(header);
        message.Headers.Add(header, Encoding.UTF8.GetBytes(value));
        Assert.Equal("message", Record(message).Fault?.Cause);
    }

    [Fact]
    public void A_cloud_event_of_others_is_read_in_binary_mode_with_its_data_held_to_the_type()
    {
        var record = Record(Message("""{"gpu_hardware":{"device_name":"T4"},"embedding":[1,2]}""", ("ce_specversion", "1.0"), ("ce_id", "ä"), ("ce_source", "/box"), ("ce_type", "gpu.facts.v1"), ("content-type", "application/json"), ("ce_seat", "12")));
        var said = Read(record);
        Assert.Equal(("ä", "/box", "gpu.facts.v1", 2), (Show(said.Id), Show(said.Source), Show(said.Type), said.Dimension));
        Assert.Equal("12", Show(said.Find("seat"u8)!.Value.Value));
        Assert.Equal(At.UtcDateTime, said.Received);
    }

    [Fact]
    public void A_cloud_event_of_others_is_read_in_structured_mode()
    {
        var said = Read(Record(Message("""{"specversion":"1.0","id":"9","source":"/box","type":"note","data":{"a":1}}""", ("content-type", "application/cloudevents+json; charset=utf-8"))));
        Assert.Equal(("9", "{\"a\":1}"), (Show(said.Id), Show(said.Data)));
    }

    [Theory]
    [InlineData("not_an_event", "{}", "content-type", "application/json")]
    [InlineData("not_an_event", "noise", "a", "b")]
    [InlineData("missing", "{}", "ce_id", "1")]
    [InlineData("content_type", "[]", "content-type", "application/cloudevents-batch+json")]
    [InlineData("content_type", "<a/>", "content-type", "application/cloudevents+xml")]
    [InlineData("not_json", "{", "content-type", "application/cloudevents+json")]
    public void What_is_neither_tells_why_and_shows_the_message(string cause, string value, string header, string content)
    {
        var record = Record(Message(value, (header, content)));
        Assert.Equal(cause, record.Fault?.Cause);
        var shown = System.Text.Json.JsonDocument.Parse(record.Payload).RootElement;
        Assert.Equal((value, content), (shown.GetProperty("value").GetString(), shown.GetProperty("headers").GetProperty(header).GetString()));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_shown_as_base64_and_an_attribute_of_them_is_refused()
    {
        var message = Message("x", ("ce_specversion", "1.0"), ("ce_source", "/b"), ("ce_type", "t"));
        message.Headers.Add("ce_id", [0xff]);
        message.Value = [0xfe];
        var record = Record(message);
        Assert.Equal(("not_utf8", "header ce_id"), (record.Fault?.Cause, record.Fault?.Path));
        Assert.Equal("/g==", System.Text.Json.JsonDocument.Parse(record.Payload).RootElement.GetProperty("value_base64").GetString());
    }

    [Fact]
    public void Whatever_says_that_it_is_ours_becomes_a_document_or_poison_and_never_a_bug()
    {
        using var writer = new DocumentWriter(TransformPlan.Plain);
        var documents = 0;
        string[] data = ["{}", "[]", "[1,2]", "7", "\"embedding\"", "null", "{\"embedding\":[1,\"a\",{}]}", "{\"embedding\":\"AA\"}", "{\"embedding\":{\"dtype\":3,\"data\":\"AAAA\"}}", "{\"gpu_hardware\":1,\"extra\":[]}", "{", "", "\u0001"];
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new System.Random(seed);
            var said = Sane(Envelopes.Random(random));
            (said.ContentType, said.Data, said.HasData, said.Dimension) = (Text(random.Next(2) == 0 ? "application/json" : "text/plain"), Text(data[random.Next(data.Length)]), true, random.Next(4));
            var record = Record(EventMessages.Of(said, 0));
            var (document, poison) = writer.Write(Read(record), new EventPlace("log", 0, 5), new EventEnrichment(null, null));
            if (document is not null) documents++;
            return document is null != poison is null;
        }).QuickCheckThrowOnFailure();
        Assert.True(documents > 0);
    }

    [Fact]
    public void A_messages_hash_tells_it_from_every_other_at_its_place()
    {
        Message<byte[], byte[]?>[] messages = [Message("a"), Message("b"), new() { Key = [1], Value = Encoding.UTF8.GetBytes("a"), Timestamp = At }, new() { Value = null, Timestamp = At }];
        var hashes = messages.SelectMany(message => new[] { MessageRecords.HashOf(1, message), MessageRecords.HashOf(2, message) }).ToList();
        Assert.Equal(hashes.Count, hashes.Distinct().Count());
        Assert.Equal(MessageRecords.HashOf(1, Message("a")), MessageRecords.HashOf(1, Message("a")));
    }

    [Fact]
    public void A_batch_has_its_messages_own_offsets_and_can_be_read_twice()
    {
        var batch = new MessageBatch(NewRecords(), [.. new[] { 3L, 4, 9 }.Select(offset => new ConsumeResult<byte[], byte[]?> { Message = Message("x"), Offset = offset })]);
        for (var round = 0; round < 2; round++)
        {
            var offsets = new List<ulong>();
            foreach (var record in batch) offsets.Add(record.Offset);
            Assert.Equal([3UL, 4, 9], offsets);
        }

        Assert.Equal((3UL, 10UL), (batch.FirstOffset, batch.NextOffset));
    }

    private static LogRecord Record(Message<byte[], byte[]?> message) => NewRecords().Read(5, message);

    private static MessageRecords NewRecords() => new(new IngestSpec(), new EventTypes(new IngestSpec()));

    private static EventEnvelope Read(in LogRecord record)
    {
        Assert.Null(record.Fault);
        var said = new EventEnvelope();
        Assert.Equal(FrameFault.None, EnvelopeFrame.TryRead(record.Payload, said));
        return said;
    }

    private static Message<byte[], byte[]?> Message(string value, params (string Name, string Value)[] headers)
    {
        var message = new Message<byte[], byte[]?> { Value = Encoding.UTF8.GetBytes(value), Headers = [], Timestamp = At };
        foreach (var (name, content) in headers) message.Headers.Add(name, Encoding.UTF8.GetBytes(content));
        return message;
    }

    /// <summary>As the door lets it through: names of attributes that stand once, and a time.</summary>
    private static EventEnvelope Sane(EventEnvelope any)
    {
        var sane = new EventEnvelope
        {
            Form = any.Form, Source = any.Source, Id = any.Id, Type = any.Type, Subject = any.Subject, Time = any.Time, DataSchema = any.DataSchema, ContentType = any.ContentType, Schema = any.Schema,
            Producer = any.Producer, TraceParent = any.TraceParent, Received = any.Received.AddTicks(1), Dimension = any.Dimension, HasData = any.HasData, Data = any.Data,
        };
        for (var i = 0; i < any.Extensions.Count; i++) sane.Add(any.Extensions[i] with { Name = Text($"x{i}") });
        return sane;
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static string Show(ReadOnlyMemory<byte> text) => Encoding.UTF8.GetString(text.Span);
}
