using System.Text;
using Stoker.Platform.Disks;
using Stoker.Streams.Sending;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Sending;

public sealed class SpoolTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"stoker-spool-{Guid.NewGuid():N}");
    private readonly List<string> _said = [];

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task What_was_kept_comes_back_in_order_and_no_more_after_it_was_acknowledged()
    {
        using (var spool = Open())
        {
            for (var i = 0; i < 3; i++) Assert.Equal(SpoolOutcome.Kept, await spool.KeepAsync([Item(i), Item(i + 10)], DateTimeOffset.UnixEpoch));
            Assert.Equal(6, spool.Waiting);
        }

        using (var spool = Open())
        {
            var unit = spool.Next()!;
            Assert.Equal(["0", "10", "1", "11", "2", "12"], unit.Items.Select(Text));
            Assert.Equal("file:10", unit.Items[1].Place);
            spool.Rewind();
            Assert.Equal(6, spool.Next()!.Items.Count);
            await spool.AcknowledgeAsync(unit);
            Assert.Null(spool.Next());
        }

        using (var spool = Open())
        {
            Assert.Equal(0, spool.Waiting);
            Assert.Null(spool.Next());
        }
    }

    [Fact]
    public async Task A_request_has_documents_of_one_form_and_no_more_than_fit()
    {
        using var spool = Open();
        var large = new byte[600_000];
        await spool.KeepAsync([Item(1) with { Bytes = large }], DateTimeOffset.UnixEpoch);
        await spool.KeepAsync([Item(2) with { Bytes = large }], DateTimeOffset.UnixEpoch);
        await spool.KeepAsync([Item(3) with { Form = SendForm.CloudEvent }], DateTimeOffset.UnixEpoch);
        foreach (var place in new[] { "file:1", "file:2", "file:3" })
        {
            var unit = spool.Next()!;
            Assert.Equal(place, Assert.Single(unit.Items).Place);
            await spool.AcknowledgeAsync(unit);
        }

        Assert.Equal(0, spool.Waiting);
    }

    [Fact]
    public async Task What_was_delivered_is_deleted_and_its_room_given_back()
    {
        using var spool = Open();
        var megabyte = new byte[1 << 20];
        for (var i = 0; i < 40; i++) Assert.Equal(SpoolOutcome.Kept, await spool.KeepAsync([Item(i) with { Bytes = megabyte }], DateTimeOffset.UnixEpoch));
        var before = Bytes();
        Assert.True(before > 40 << 20);
        while (spool.Next() is { } unit) await spool.AcknowledgeAsync(unit);
        Assert.True(Bytes() < 12 << 20, $"{Bytes()} bytes of {before} are left");
    }

    [Fact]
    public async Task One_sender_at_a_time_has_it_open()
    {
        using (var spool = Open())
        {
            await spool.KeepAsync([Item(1)], DateTimeOffset.UnixEpoch);
            Assert.Equal($"{Environment.ProcessId}", Assert.IsType<SpoolOpening.Busy>(Attempt(make: true)).Holder);
        }

        using var next = Open();
        Assert.Equal(1, next.Waiting);
    }

    [Fact]
    public void A_spool_that_is_not_there_is_not_made_by_looking() => Assert.IsType<SpoolOpening.NotThere>(Attempt(make: false));

    [Fact]
    public async Task A_document_larger_than_a_commit_is_not_kept()
    {
        using var spool = Open();
        Assert.Equal(SpoolOutcome.TooLarge, await spool.KeepAsync([Item(1) with { Bytes = new byte[5 << 20] }], DateTimeOffset.UnixEpoch));
        Assert.Equal(0, spool.Waiting);
    }

    [Fact]
    public async Task A_full_disk_is_an_answer_and_what_was_kept_before_is_delivered()
    {
        var disk = new SimulatedDisk { Room = 20 << 20 };
        var spool = Assert.IsType<SpoolOpening.Opened>(Spool.Open("/spool", make: true, disk, TimeProvider.System, _said.Add)).Spool;
        using var open = spool;
        var kept = 0;
        var outcome = SpoolOutcome.Kept;
        while ((outcome = await spool.KeepAsync([Item(kept) with { Bytes = new byte[1 << 20] }], DateTimeOffset.UnixEpoch)) == SpoolOutcome.Kept) kept++;
        Assert.Equal(SpoolOutcome.DiskFull, outcome);
        Assert.InRange(kept, 8, 19);
        Assert.Equal(kept, spool.Waiting);
        var delivered = 0;
        while (spool.Next() is { } unit)
        {
            delivered += unit.Items.Count;
            await spool.AcknowledgeAsync(unit);
        }

        Assert.Equal(kept, delivered);
    }

    [Fact]
    public async Task Damage_is_said_and_nothing_is_sent_past_it()
    {
        using (var spool = Open())
        {
            for (var i = 0; i < 3; i++) await spool.KeepAsync([Item(i)], DateTimeOffset.UnixEpoch);
        }

        var path = Path.Combine(_directory, "log", "0", $"{0:D20}.log");
        using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = (2 * 4096) + 100;
            var value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 1));
        }

        Assert.Contains("record 1 is lost", Assert.IsType<SpoolOpening.Damaged>(Attempt(make: false)).Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refused_documents_are_lines_of_a_file_also_behind_a_line_that_was_cut()
    {
        using var spool = Open();
        await spool.KeepAsync([Item(1)], DateTimeOffset.UnixEpoch);
        await File.WriteAllTextAsync(Path.Combine(_directory, Spool.RefusedName), "{\"cut", TestContext.Current.CancellationToken);
        spool.PutAside(["{\"a\":1}", "{\"b\":2}"]);
        spool.PutAside(["{\"c\":3}"]);
        Assert.Equal(["{\"cut", "{\"a\":1}", "{\"b\":2}", "{\"c\":3}"], await File.ReadAllLinesAsync(Path.Combine(_directory, Spool.RefusedName), TestContext.Current.CancellationToken));
    }

    private static SendItem Item(int number) => new($"file:{number}", SendForm.Line, Encoding.ASCII.GetBytes($"{number}"));

    private static string Text(SendItem item) => Encoding.ASCII.GetString(item.Bytes.Span);

    private long Bytes() => Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    private Spool Open() => Assert.IsType<SpoolOpening.Opened>(Attempt(make: true)).Spool;

    private SpoolOpening Attempt(bool make) => Spool.Open(_directory, make, Disk.Instance, TimeProvider.System, _said.Add);
}
