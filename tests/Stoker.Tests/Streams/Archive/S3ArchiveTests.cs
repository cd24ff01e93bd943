using System.Security.Cryptography;
using System.Text;
using Stoker.Platform.Disks;
using Stoker.Streams.Archive;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

/// <summary>What is sent to a server that speaks S3, and what its refusals become; a real server is in the drills.</summary>
public sealed class S3ArchiveTests
{
    private static readonly byte[] Content = Encoding.UTF8.GetBytes("{\"a\":1}\n");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_object_is_put_whole_signed_and_with_its_sum()
    {
        using var server = new CannedServer(_ => (200, ""));
        await PutAsync(server);
        var request = Assert.Single(server.Requests);
        Assert.Equal(("PUT", "/box/team/frames/raw/x.ndjson.gz"), (request.Method, request.Target));
        Assert.Equal(Content, request.Body);
        Assert.Equal(Convert.ToBase64String(SHA256.HashData(Content)), request.Headers["x-amz-checksum-sha256"]);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Content)), request.Headers["x-amz-content-sha256"]);
        Assert.StartsWith("AWS4-HMAC-SHA256 Credential=AKIA1/", request.Headers["Authorization"], StringComparison.Ordinal);
        Assert.Contains("/eu-central-1/s3/", request.Headers["Authorization"], StringComparison.Ordinal);
        Assert.Null(request.Headers["Content-Encoding"]);
    }

    [Theory]
    [InlineData(403, "InvalidAccessKeyId", "does not know the access key in `ARCHIVE_KEY`")]
    [InlineData(403, "SignatureDoesNotMatch", "the secret in `ARCHIVE_SECRET` is not that of the access key in `ARCHIVE_KEY`")]
    [InlineData(403, "AccessDenied", "does not let the access key in `ARCHIVE_KEY` do this")]
    [InlineData(403, "RequestTimeTooSkewed", "this machine's clock is wrong")]
    [InlineData(404, "NoSuchBucket", "make the bucket first")]
    [InlineData(503, "SlowDown", "answered 503 SlowDown: Please reduce your request rate.")]
    [InlineData(500, "InternalError", "answered 500 InternalError")]
    [InlineData(400, "BadDigest", "answered 400 BadDigest")]
    public async Task A_refusal_tells_in_words_what_to_do_and_is_not_tried_again_here(int status, string code, string expected)
    {
        using var server = new CannedServer(_ => (status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Please reduce your request rate.</Message></Error>"));
        var failed = await Assert.ThrowsAsync<ArchiveUnavailableException>(() => PutAsync(server));
        Assert.Contains(expected, failed.Message, StringComparison.Ordinal);
        Assert.StartsWith("s3://box at http://127.0.0.1:", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", failed.ToString(), StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_server_error_without_words_has_its_number()
    {
        using var server = new CannedServer(_ => (502, "<html>bad gateway</html>"));
        var failed = await Assert.ThrowsAsync<ArchiveUnavailableException>(() => PutAsync(server));
        Assert.Contains("502", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_there_is_told()
    {
        using var archive = Open("http://127.0.0.1:9");
        using var content = new MemoryStream(Content);
        var failed = await Assert.ThrowsAsync<ArchiveUnavailableException>(() => archive.PutAsync("x.json", content, SHA256.HashData(Content), Cancellation));
        Assert.Contains("cannot be reached: Connection refused", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_variable_that_is_not_set_is_named()
    {
        using var archive = Open("http://127.0.0.1:9", name => name == "ARCHIVE_KEY" ? "AKIA1" : null);
        using var content = new MemoryStream(Content);
        var failed = await Assert.ThrowsAsync<ArchiveUnavailableException>(() => archive.PutAsync("x.json", content, SHA256.HashData(Content), Cancellation));
        Assert.Contains("the variable `ARCHIVE_SECRET`, which is to hold the secret key", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_null_and_a_list_goes_on_page_by_page()
    {
        using var server = new CannedServer(request =>
            request.Method == "GET" && request.Target.Contains("list-type=2", StringComparison.Ordinal)
                ? request.Target.Contains("continuation-token=two", StringComparison.Ordinal) ? (200, Page("b", null)) : (200, Page("a", "two"))
                : (404, "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>no</Message></Error>"));
        using var archive = Open(server.Url);
        Assert.Null(await archive.ReadAsync("frames/raw/none", Cancellation));
        var names = new List<string>();
        await foreach (var name in archive.ListAsync("frames/", Cancellation)) names.Add(name);
        Assert.Equal(["frames/a", "frames/b"], names);
    }

    private static string Page(string name, string? next) =>
        $"<?xml version=\"1.0\"?><ListBucketResult><Name>box</Name><IsTruncated>{(next is null ? "false" : "true")}</IsTruncated>{(next is null ? "" : $"<NextContinuationToken>{next}</NextContinuationToken>")}"
        + $"<Contents><Key>team/frames/{name}</Key><LastModified>2026-11-21T12:00:00.000Z</LastModified><ETag>\"1\"</ETag><Size>1</Size></Contents></ListBucketResult>";

    private static async Task PutAsync(CannedServer server)
    {
        using var archive = Open(server.Url);
        using var content = new MemoryStream(Content);
        await archive.PutAsync("frames/raw/x.ndjson.gz", content, SHA256.HashData(Content), Cancellation);
    }

    private static IArchiveStore Open(string endpoint, Func<string, string?>? variable = null) => ArchiveModule.Open(
        new ArchiveSpec("s3://box/team") { Endpoint = endpoint, Region = "eu-central-1", AccessKeyVariable = "ARCHIVE_KEY", SecretKeyVariable = "ARCHIVE_SECRET" },
        Disk.Instance, variable ?? (name => name switch { "ARCHIVE_KEY" => "AKIA1", "ARCHIVE_SECRET" => "hush", _ => null }));
}
