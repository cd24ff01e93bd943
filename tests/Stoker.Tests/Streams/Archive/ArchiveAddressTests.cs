using Stoker.Streams.Archive;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

public sealed class ArchiveAddressTests
{
    [Theory]
    [InlineData("archive", null, "archive", "archive")]
    [InlineData("/mnt/nas/a b", null, "/mnt/nas/a b", "/mnt/nas/a b")]
    [InlineData("s3://bucket", "bucket", "", "s3://bucket")]
    [InlineData("s3://my.bucket-1/team/year=2026/", "my.bucket-1", "team/year=2026", "s3://my.bucket-1/team/year=2026")]
    public void A_place_is_a_directory_or_a_bucket_with_a_prefix(string text, string? bucket, string path, string shown)
    {
        Assert.Null(ArchiveAddress.Parse(text, out var address));
        Assert.Equal((bucket, path, shown), (address!.Bucket, address.Path, address.ToString()));
    }

    [Theory]
    [InlineData("", "has to be named")]
    [InlineData("gs://bucket", "expected a directory or `s3://BUCKET/PREFIX`")]
    [InlineData("s3://", "is no bucket's name")]
    [InlineData("s3://Bucket", "is no bucket's name")]
    [InlineData("s3://AKIA:secret@bucket", "keys do not belong in an address")]
    [InlineData("s3://bucket/a//b", "no part of a prefix")]
    [InlineData("s3://bucket/../b", "no part of a prefix")]
    [InlineData("s3://bucket/a?b", "letters, digits")]
    public void What_is_none_is_refused_with_the_reason(string text, string expected)
    {
        Assert.Contains(expected, ArchiveAddress.Parse(text, out var address), StringComparison.Ordinal);
        Assert.Null(address);
    }

    [Fact]
    public void A_name_tells_log_partition_and_first_offset()
    {
        var place = new ArchivePlace("0123", 7, 1234, 1_795_262_400_000_000);
        Assert.Equal("frames/raw/log=0123/partition=7/date=2026-11-21/00000000000000001234.ndjson.gz", ArchiveNames.OfObject("frames", ArchiveSpec.Raw, place));
        Assert.Equal("frames/manifest/log=0123/partition=7/date=2026-11-21/00000000000000001234.json", ArchiveNames.OfManifest("frames", place));
        Assert.Equal(("0123", 7, 1234ul), ArchiveNames.Read(ArchiveNames.OfManifest("frames", place)));
        Assert.Equal(("0123", 7, 1234ul), ArchiveNames.Read(ArchiveNames.OfObject("frames", ArchiveSpec.Raw, place)));
        Assert.Null(ArchiveNames.Read("frames/manifest/README.json"));
    }
}
