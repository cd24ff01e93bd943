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
        Assert.Equal(new ArchiveName("0123", 7, 1234, null), ArchiveNames.Read(ArchiveNames.OfManifest("frames", place)));
        Assert.Equal(new ArchiveName("0123", 7, 1234, null), ArchiveNames.Read(ArchiveNames.OfObject("frames", ArchiveSpec.Raw, place)));
        Assert.Null(ArchiveNames.Read("frames/manifest/README.json"));
        Assert.Null(ArchiveNames.Read("frames/manifest/log=0123/partition=7/date=2026-11-21/1-2-3.json"));
        Assert.Null(ArchiveNames.Read("frames/manifest/log=0123/partition=7/date=2026-11-21/1-.json"));
    }

    [Fact]
    public void A_name_of_a_topic_s_object_has_no_dots_but_before_its_ending_and_tells_where_it_ends()
    {
        var place = new ArchivePlace("kafka:abc/gpu.facts", 0, 7, 1_795_262_400_000_000) { Next = 12 };
        var name = ArchiveNames.OfManifest("frames", place);
        Assert.Matches("^frames/manifest/log=kafka-abc-gpu-facts-[0-9a-f]{8}/partition=0/date=2026-11-21/00000000000000000007-00000000000000000012[.]json$", name);
        Assert.Equal(new ArchiveName(ArchiveNames.LogOf("kafka:abc/gpu.facts"), 0, 7, 12), ArchiveNames.Read(name));
        Assert.NotEqual(ArchiveNames.LogOf("kafka:abc/gpu.facts"), ArchiveNames.LogOf("kafka:abc/gpu-facts"));
    }
}
