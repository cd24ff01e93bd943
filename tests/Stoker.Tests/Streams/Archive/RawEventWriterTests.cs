using System.Buffers;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Archive;
using Stoker.Streams.Events;
using Stoker.Streams.Log.Reading;
using Stoker.Tests.Streams.Events;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

/// <summary>The raw line of an event: all that the log has of it, as a CloudEvent.</summary>
public sealed class RawEventWriterTests
{
    [Fact]
    public void A_metadata_document_is_the_data_of_a_CloudEvent()
    {
        var said = Metadata("{\n \"metadata_id\": \"a\", \"gpu_hardware\": {\"device_name\": \"Tesla T4\"},\n \"embedding\": [1.50, -2e-1], \"mine\": 1.0000000000000000001}");
        Assert.Equal(
            """{"specversion":"1.0","stokerreceipt":"3-42","stokerreceived":"2026-11-21T12:00:00.0000000Z","stokerform":"metadata","stokerproducer":"colab","stokerschema":"gpu.facts.v1","id":"a","source":"gs://box/é","type":"gpu.facts.v1","datacontenttype":"application/json","data":{"metadata_id":"a","gpu_hardware":{"device_name":"Tesla T4"},"embedding":[1.50,-2e-1],"mine":1.0000000000000000001}}""",
            Line(said));
    }

    [Theory]
    [InlineData("text/plain", "ready\n\"now\"", "\"data\":\"ready\\n\\\"now\\\"\"")]
    [InlineData("text/plain", "nul\0", "\"data_base64\":\"bnVsAA==\"")]
    [InlineData("application/json", "\"a text\"", "\"data\":\"a text\"")]
    [InlineData("application/json", "{\"a\":", "\"data_base64\":\"eyJhIjo=\"")]
    [InlineData("application/json", "{\"a\":1,\"a\":2}", "\"data_base64\":\"eyJhIjoxLCJhIjoyfQ==\"")]
    [InlineData("", "ready", "\"data_base64\":\"cmVhZHk=\"")]
    public void Data_stand_so_that_they_are_read_as_what_they_were(string contentType, string data, string expected)
    {
        var said = CloudEvent();
        (said.ContentType, said.Data, said.HasData) = (Utf8(contentType), Utf8(data), true);
        Assert.EndsWith($",{expected}}}", Line(said), StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_that_has_an_attribute_of_ours_keeps_it_and_ours_has_another_name()
    {
        var said = CloudEvent();
        said.Add(new EventAttribute(Utf8("stokerreceipt"), Utf8("0-7"), AttributeKind.Text));
        said.Add(new EventAttribute(Utf8("stokerreceipt2"), Utf8("5"), AttributeKind.Integer));
        said.Add(new EventAttribute(Utf8("isfinal"), Utf8("true"), AttributeKind.Boolean));
        var line = JsonDocument.Parse(Line(said)).RootElement;
        Assert.Equal("3-42", line.GetProperty("stokerreceipt22").GetString());
        Assert.Equal("0-7", line.GetProperty("stokerreceipt").GetString());
        Assert.Equal(5, line.GetProperty("stokerreceipt2").GetInt32());
        Assert.True(line.GetProperty("isfinal").GetBoolean());
    }

    [Fact]
    public void What_cannot_be_read_is_a_line_with_its_bytes()
    {
        var line = JsonDocument.Parse(Line(null, [9, 0, 255])).RootElement;
        Assert.Equal(("1.0", "3-42", "stoker:log/abc", "stoker.unreadable.v1"), (Text("specversion"), Text("id"), Text("source"), Text("type")));
        Assert.Equal([9, 0, 255], line.GetProperty("data_base64").GetBytesFromBase64());

        string? Text(string name) => line.GetProperty(name).GetString();
    }

    [Fact]
    public void Whatever_an_event_says_stands_in_one_line_and_can_be_read_back()
    {
        var random = new Random(11);
        for (var i = 0; i < 2000; i++)
        {
            var said = Envelopes.Random(random);
            // The door takes no attribute twice.
            if (said.Extensions.Select(extension => Text(extension.Name)).Distinct().Count() < said.Extensions.Count) continue;
            var text = Line(said);
            Assert.DoesNotContain('\n', text);
            using var document = JsonDocument.Parse(text);
            var line = document.RootElement;
            Assert.Equal(line.EnumerateObject().Count(), line.EnumerateObject().Select(field => field.Name).Distinct().Count());
            Assert.Equal((Text(said.Id), Text(said.Source), Text(said.Type)), (Field("id"), Field("source"), Field("type")));
            Assert.Equal((Text(said.Subject), Text(said.Time), Text(said.DataSchema)), (Field("subject"), Field("time"), Field("dataschema")));
            Assert.Equal(Text(said.ContentType), Field("datacontenttype"));
            foreach (var extension in said.Extensions)
                Assert.Equal(Text(extension.Value), line.GetProperty(Text(extension.Name)) is { ValueKind: JsonValueKind.String } value ? value.GetString() : line.GetProperty(Text(extension.Name)).GetRawText());
            Assert.Equal(said.HasData, line.TryGetProperty("data", out _) || line.TryGetProperty("data_base64", out _));
            if (line.TryGetProperty("data_base64", out var bytes)) Assert.Equal(said.Data.ToArray(), bytes.GetBytesFromBase64());

            string Field(string name) => line.TryGetProperty(name, out var found) ? found.GetString()! : "";
        }
    }

    private static EventEnvelope Metadata(string data) => new()
    {
        Form = EventForm.Metadata, Id = Utf8("a"), Source = Utf8("gs://box/é"), Type = Utf8("gpu.facts.v1"), ContentType = Utf8("application/json"), Schema = Utf8("gpu.facts.v1"),
        Producer = Utf8("colab"), Data = Utf8(data), HasData = true, Received = ArchiveBench.Start.UtcDateTime,
    };

    private static EventEnvelope CloudEvent() => new() { Form = EventForm.CloudEvent, Id = Utf8("1"), Source = Utf8("/s"), Type = Utf8("t"), Received = ArchiveBench.Start.UtcDateTime };

    private static string Line(EventEnvelope? said, byte[]? payload = null)
    {
        using var writer = new RawEventWriter("abc", 3);
        var output = new ArrayBufferWriter<byte>();
        writer.Write(said, new LogRecord(42, 0, 0, payload), output);
        return Text(output.WrittenMemory);
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
