using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Sending;
using Xunit;

namespace Stoker.Tests.Streams.Sending;

public sealed class SendStampTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 13, 0, 0, 250, TimeSpan.FromHours(1));

    [Theory]
    [InlineData(nameof(SendForm.Line), """{"metadata_id": "a", "time": "2026-01-01T00:00:00Z"}""", """{"metadata_id": "a", "time": "2026-01-01T00:00:00Z"}""")]
    [InlineData(nameof(SendForm.Line), """{"metadata_id": "a"}""", """{"time": "2026-11-21T12:00:00.250000Z", "metadata_id": "a"}""")]
    [InlineData(nameof(SendForm.Line), " {\"metadata_id\": \"a\", \"time\": null}\r", """{"metadata_id": "a", "time": "2026-11-21T12:00:00.250000Z"}""")]
    [InlineData(nameof(SendForm.Line), """{"metadata_id": "a", "extra": {"time": 1}}""", """{"time": "2026-11-21T12:00:00.250000Z", "metadata_id": "a", "extra": {"time": 1}}""")]
    [InlineData(nameof(SendForm.CloudEvent), """{"id": "7"}""", """{"time": "2026-11-21T12:00:00.250000Z", "id": "7"}""")]
    [InlineData(nameof(SendForm.Line), "no json", "no json")]
    [InlineData(nameof(SendForm.Line), "[1]", "[1]")]
    [InlineData(nameof(SendForm.Line), """{"a": 1} {""", """{"a": 1} {""")]
    public void What_a_document_lacks_is_what_the_stream_would_have_given_it(string form, string document, string stamped) =>
        Assert.Equal(stamped, Text(Enum.Parse<SendForm>(form), document));

    [Theory]
    [InlineData("""{"source_uri": "s"}""", """{"time": "2026-11-21T12:00:00.250000Z", "metadata_id": "ID", "source_uri": "s"}""")]
    [InlineData("{}", """{"time": "2026-11-21T12:00:00.250000Z", "metadata_id": "ID"}""")]
    [InlineData("""{"metadata_id": null, "time": null}""", """{"metadata_id": "ID", "time": "2026-11-21T12:00:00.250000Z"}""")]
    public void An_id_is_made_of_the_bytes_before_they_are_changed(string document, string stamped)
    {
        Span<byte> id = stackalloc byte[EventIdentity.Length];
        EventIdentity.OfContent(Encoding.UTF8.GetBytes(document), id);
        Assert.Equal(stamped.Replace("ID", Encoding.ASCII.GetString(id), StringComparison.Ordinal), Text(SendForm.Json, document));
    }

    private static string Text(SendForm form, string document) => Encoding.UTF8.GetString(SendStamp.Apply(form, Encoding.UTF8.GetBytes(document), Noon).Span);
}
