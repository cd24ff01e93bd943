using System.Text.Json;
using Stoker.Daemon.Protocol;
using Xunit;

namespace Stoker.Tests.Daemon;

public sealed class StartDocumentsTests
{
    [Fact]
    public void A_request_written_by_hand_is_that_of_generated_code()
    {
        var least = new ApplyRequest(["/srv/stoker.yaml"]);
        var most = least with
        {
            ProjectDirectory = "/srv",
            Env = "production",
            Host = "mainpc",
            Rehearse = true,
            Profiles = ["gpu"],
            Names = ["redis", "vision"],
            Beside = ["web"],
            Variables = new Dictionary<string, string> { ["HOME"] = "/root", ["QUOTED"] = "\"ü\"" },
            Scaled = new Dictionary<string, ScaledDocument> { ["web"] = new(3, 1) },
        };
        foreach (var request in (ApplyRequest[])[least, most])
            Assert.Equal(JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Readable.ApplyRequest), StartDocuments.Write(request));
    }

    [Fact]
    public void An_answer_written_and_read_by_hand_is_that_of_generated_code()
    {
        using var plan = JsonDocument.Parse("""{"estate":"ai","changes":[]}""");
        var refused = new ApplyResponse(false, null, []);
        var accepted = new ApplyResponse(true, plan.RootElement, [new DiagnosticDocument("PLN050", "warning", "stoker.yaml", 14, 7, "it `cannot`", null)]) { ComesUp = ["redis"] };
        foreach (var response in (ApplyResponse[])[refused, accepted])
        {
            var generated = JsonSerializer.SerializeToUtf8Bytes(response, ControlJson.Readable.ApplyResponse);
            Assert.Equal(generated, StartDocuments.Write(response));
            Assert.Equal(generated, StartDocuments.Write(StartDocuments.ReadResponse(generated)));
        }
    }

    [Fact]
    public void A_daemon_written_and_read_by_hand_is_that_of_generated_code()
    {
        var daemon = new DaemonDocument(700, "0.1.0", "ai", "mainpc", DateTimeOffset.UnixEpoch, "unix:/x", "/state", true, ["/srv/stoker.yaml"]);
        var generated = JsonSerializer.SerializeToUtf8Bytes(daemon, ControlJson.Readable.DaemonDocument);

        Assert.Equal(generated, StartDocuments.Write(daemon));
        Assert.Equal(generated, StartDocuments.Write(StartDocuments.ReadDaemon(generated)));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"pid\": \"seven\"}")]
    [InlineData("{\"pid\": 7")]
    [InlineData("{}")]
    public void What_is_no_such_document_is_said(string json) => Assert.ThrowsAny<JsonException>(() => StartDocuments.ReadDaemon(System.Text.Encoding.UTF8.GetBytes(json)));
}
