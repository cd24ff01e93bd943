using System.Net;
using System.Net.Sockets;
using Amazon.S3;

namespace Stoker.Streams.Archive.S3;

/// <summary>What a server that speaks S3 answers, in words that tell what to do.</summary>
internal static class S3Errors
{
    public static string Words(string where, ArchiveSpec spec, Exception failed) =>
        failed is AmazonS3Exception { StatusCode: not 0 } answered ? Answered(where, spec, answered) : Unreached(where, failed);

    private static string Answered(string where, ArchiveSpec spec, AmazonS3Exception answered) => answered.ErrorCode switch
    {
        "InvalidAccessKeyId" => $"{where} does not know the access key in `{spec.AccessKeyVariable}`",
        "SignatureDoesNotMatch" => $"{where} refuses the signature: the secret in `{spec.SecretKeyVariable}` is not that of the access key in `{spec.AccessKeyVariable}`",
        "ExpiredToken" or "InvalidToken" => $"{where} refuses the session token in `AWS_SESSION_TOKEN` ({answered.ErrorCode})",
        "RequestTimeTooSkewed" => $"{where} refuses the request because this machine's clock is wrong",
        "AccessDenied" => $"{where} does not let the access key in `{spec.AccessKeyVariable}` do this (AccessDenied)",
        "NoSuchBucket" => $"{where} is not there (NoSuchBucket); make the bucket first",
        "PermanentRedirect" or "AuthorizationHeaderMalformed" => $"{where} is in another region than `{spec.Region}` ({answered.ErrorCode}: {answered.Message})",
        var code when answered.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized =>
            $"{where} refuses the credentials in `{spec.AccessKeyVariable}` and `{spec.SecretKeyVariable}` ({(int)answered.StatusCode} {code})",
        var code => $"{where} answered {(int)answered.StatusCode}{(string.IsNullOrEmpty(code) ? "" : $" {code}")}: {answered.Message.Trim()}",
    };

    private static string Unreached(string where, Exception failed)
    {
        var inner = failed;
        while (inner.InnerException is { } deeper && inner is not SocketException) inner = deeper;
        return $"{where} cannot be reached: {inner.Message.Trim()}";
    }
}
