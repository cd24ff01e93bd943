using System.Net;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Stoker.Streams.Archive.S3;

/// <summary>
/// An archive in a bucket of Amazon's or of any server that speaks S3. The body of each PUT is signed, and its SHA-256 sent beside it, so that the server refuses what is
/// not what was made. Nothing is tried again here: callers do, and tell.
/// </summary>
internal sealed class S3Archive(string bucket, string prefix, ArchiveSpec spec, Func<string, string?> variable) : IArchiveStore
{
    /// <summary>How slow a connection may be before it counts as cut off.</summary>
    private const long LeastBytesPerSecond = 256 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), ConnectTime = TimeSpan.FromSeconds(10);

    private readonly Lock _access = new();
    private AmazonS3Client? _client;

    private string Where => $"s3://{bucket}{(spec.Endpoint is { } endpoint ? $" at {endpoint}" : "")}";

    public async Task PutAsync(string name, Stream content, ReadOnlyMemory<byte> sha256, CancellationToken cancellation)
    {
        content.Position = 0;
        var sum = Convert.ToBase64String(sha256.Span);
        var request = new PutObjectRequest
        {
            BucketName = bucket, Key = KeyOf(name), InputStream = content, AutoCloseStream = false, AutoResetStreamPosition = false, UseChunkEncoding = false, ChecksumSHA256 = sum,
            ContentType = name.EndsWith(".gz", StringComparison.Ordinal) ? "application/gzip" : "application/json",
        };
        var answer = await AskAsync((client, cancel) => client.PutObjectAsync(request, cancel), content.Length, cancellation);
        if (answer.ChecksumSHA256 is { Length: > 0 } told && told != sum)
        {
            throw new ArchiveUnavailableException($"{Where} has `{request.Key}` with another sum than it was sent with: {told} instead of {sum}");
        }
    }

    public async Task<Stream?> ReadAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var answer = await AskAsync((client, cancel) => client.GetObjectAsync(bucket, KeyOf(name), cancel), 0, cancellation);
            return answer.ResponseStream;
        }
        catch (ArchiveUnavailableException failed) when (failed.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" })
        {
            return null;
        }
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var own = KeyOf("").Length;
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = KeyOf(prefix) };
        do
        {
            var page = await AskAsync((client, cancel) => client.ListObjectsV2Async(request, cancel), 0, cancellation);
            foreach (var each in page.S3Objects ?? []) yield return each.Key[own..];
            request.ContinuationToken = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    public void Dispose() => _client?.Dispose();

    private string KeyOf(string name) => prefix.Length == 0 ? name : $"{prefix}/{name}";

    /// <exception cref="ArchiveUnavailableException"/>
    private async Task<T> AskAsync<T>(Func<AmazonS3Client, CancellationToken, Task<T>> call, long bytes, CancellationToken cancellation)
    {
        var most = Patience + TimeSpan.FromSeconds(bytes / LeastBytesPerSecond);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(most);
        try
        {
            return await call(Client(), patience.Token);
        }
        catch (Exception failed) when (
            failed is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or WebException or TimeoutException
            && failed is not ArchiveUnavailableException)
        {
            throw new ArchiveUnavailableException(S3Errors.Words(Where, spec, failed), failed);
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new ArchiveUnavailableException($"{Where} does not answer within {most.TotalSeconds:0} s", late);
        }
    }

    /// <summary>One for all callers.</summary>
    private AmazonS3Client Client()
    {
        lock (_access) return _client ??= Connect();
    }

    private AmazonS3Client Connect()
    {
        var (id, secret) = (Need(spec.AccessKeyVariable, "access key"), Need(spec.SecretKeyVariable, "secret key"));
        AWSCredentials credentials = variable(ArchiveSpec.SessionVariable) is { Length: > 0 } token ? new SessionAWSCredentials(id, secret, token) : new BasicAWSCredentials(id, secret);
        var config = new AmazonS3Config
        {
            AuthenticationRegion = spec.Region, MaxErrorRetry = 0, ConnectTimeout = ConnectTime, Timeout = Timeout.InfiniteTimeSpan, IgnoreConfiguredEndpointUrls = true,
            // What a server of another make may not know is only sent where S3 needs it.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED, ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (spec.Endpoint is { } endpoint) (config.ServiceURL, config.ForcePathStyle) = (endpoint, true);
        else config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(spec.Region);
        return new AmazonS3Client(credentials, config);
    }

    private string Need(string name, string what) =>
        variable(name) is { Length: > 0 } value
            ? value
            : throw new ArchiveUnavailableException(
                $"the variable `{name}`, which is to hold the {what} of {Where}, is not set; a stream has it from where its daemon was started");
}
