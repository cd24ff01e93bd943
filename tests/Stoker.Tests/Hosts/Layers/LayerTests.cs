using FsCheck;
using FsCheck.Fluent;
using Stoker.Hosts.Layers;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Hosts.Layers;

public sealed class LayerTests : IDisposable
{
    private readonly LayerBed _bed = new();

    public void Dispose() => _bed.Dispose();

    [Fact]
    public void A_layer_that_is_in_place_changes_nothing_and_journals_nothing()
    {
        var layer = LayerBed.Layer("base", _bed.Folder("d"), _bed.File("d/f", "one\n"));
        Assert.Equal(2, _bed.Apply(layer).Made.Count);
        var standing = _bed.Journal.Standing.Count;

        var again = _bed.Apply(layer);

        Assert.Equal((0, null), (again.Made.Count, again.Why));
        Assert.Equal(standing, _bed.Journal.Standing.Count);
    }

    [Fact]
    public void What_was_there_comes_back_with_content_mode_and_kind()
    {
        _bed.Write("f", "old\n", 0x180);
        _bed.Write("gone", "kept\n", 0x1A0);
        File.CreateSymbolicLink($"{_bed.Root}/link", "nowhere");
        var before = _bed.Picture();
        var layer = LayerBed.Layer("base", _bed.File("f", "new\n"), _bed.File("link", "a file now\n"), _bed.Gone("gone"), _bed.File("deep/er/f", "x\n"), _bed.Folder("deep", 0x1C0));

        Assert.Null(_bed.Apply(layer).Why);
        Assert.NotEqual(before, _bed.Picture());
        Assert.IsType<RollbackOutcome.RolledBack>(_bed.Rollback(layer));

        Assert.Equal(before, _bed.Picture());
        Assert.Empty(_bed.Journal.Standing);
        Assert.IsType<RollbackOutcome.Nothing>(_bed.Rollback(layer));
    }

    [Fact]
    public void A_change_by_hand_stands_in_the_way_of_a_rollback_and_is_shown()
    {
        _bed.Write("f", "a\nb\nc\n");
        var layer = LayerBed.Layer("base", _bed.File("f", "a\nB\nc\n"), _bed.Folder("d"));
        _bed.Apply(layer);
        File.WriteAllText($"{_bed.Root}/f", "a\nB\nc\nd\n");
        File.WriteAllText($"{_bed.Root}/d/mine", "");
        var before = _bed.Picture();

        var refused = Assert.IsType<RollbackOutcome.Refused>(_bed.Rollback(layer));

        Assert.Equal([$"directory {_bed.Root}/d: 1 in it that no layer made, mine for one", "  + d"], [refused.Reasons[0], refused.Reasons[^1]]);
        Assert.Equal(before, _bed.Picture());
    }

    [Fact]
    public void Two_changes_of_one_file_are_taken_back_through_both()
    {
        _bed.Write("f", "first\n");
        var before = _bed.Picture();
        LayerSpec one = LayerBed.Layer("one", _bed.File("f", "second\n")), two = LayerBed.Layer("two", _bed.File("f", "third\n"));
        _bed.Apply(one);
        _bed.Apply(two);

        // Of the first alone it is not as it left it.
        Assert.IsType<RollbackOutcome.Refused>(_bed.Rollback(one));
        Assert.IsType<RollbackOutcome.RolledBack>(_bed.Rollback(one, two));

        Assert.Equal(before, _bed.Picture());
    }

    [Fact]
    public void A_command_without_a_guard_follows_a_change_and_is_still_run_when_the_layer_was_broken_off_before_it()
    {
        var counter = $"{_bed.Root}/count";
        var layer = LayerBed.Layer("base", _bed.File("f", "x\n"), LayerBed.Command($"echo run >>{counter}", undo: $"rm {counter}"));
        _bed.Apply(layer);
        _bed.Apply(layer);
        Assert.Equal("run\n", File.ReadAllText(counter));

        var broken = LayerBed.Layer("second", _bed.File("g", "x\n"), LayerBed.Command("exit 3"), LayerBed.Command($"echo second >>{counter}"));
        Assert.Contains("exited with 3", _bed.Apply(broken).Why, StringComparison.Ordinal);
        _bed.Apply(broken with { Apply = [broken.Apply[0], broken.Apply[2]] });
        Assert.Equal("run\nsecond\n", File.ReadAllText(counter));
    }

    [Fact]
    public void A_command_that_cannot_be_taken_back_refuses_the_rollback_of_its_layer()
    {
        var layer = LayerBed.Layer("base", _bed.File("f", "x\n"), LayerBed.Command("true"));
        _bed.Apply(layer);
        Assert.Equal(["command sh -c true: it has no `undo`, and its layer no `rollback`"], Assert.IsType<RollbackOutcome.Refused>(_bed.Rollback(layer)).Reasons);
        var told = $"{_bed.Root}/told";
        Assert.IsType<RollbackOutcome.RolledBack>(_bed.Rollback(layer with { Rollback = [LayerBed.Command($"touch {told}")] }));
        Assert.True(File.Exists(told));
    }

    [Fact]
    public void What_a_layer_does_not_do_is_refused_before_it_is_begun()
    {
        _bed.Write("d/f", "x");
        Assert.Contains("is a directory, and is not replaced by a file", _bed.Apply(LayerBed.Layer("a", _bed.File("d", "x"))).Why, StringComparison.Ordinal);
        Assert.Contains("a directory with something in it", _bed.Apply(LayerBed.Layer("b", _bed.Gone("d"))).Why, StringComparison.Ordinal);
        Assert.Contains("has to make the user", _bed.Apply(LayerBed.Layer("c", new LayerStep.File($"{_bed.Root}/f", "x", null, "nobody-has-this-name", "root", 0x1A4, false))).Why, StringComparison.Ordinal);
        Assert.Empty(_bed.Journal.Standing);
    }

    [Fact]
    public void A_journal_whose_last_line_was_cut_off_goes_on_and_one_that_is_damaged_does_not()
    {
        var layer = LayerBed.Layer("base", _bed.File("f", "x\n"), _bed.File("g", "x\n"));
        _bed.Apply(layer);
        var path = $"{_bed.JournalDirectory}/journal.ndjson";
        var whole = File.ReadAllText(path);
        File.WriteAllText(path, whole + "{\"event\":\"begin\",\"chan");
        Assert.Equal(2, _bed.Journal.Standing.Count);
        Assert.Equal(whole, File.ReadAllText(path));

        File.WriteAllText(path, whole[..20] + "\n" + whole[20..]);
        Assert.Contains("is damaged at line 1", Assert.Throws<IOException>(() => _bed.Journal).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_that_was_under_way_at_a_crash_is_settled_by_what_is_there()
    {
        _bed.Write("made", "old\n");
        _bed.Write("not-made", "old\n");
        var before = _bed.Picture();
        var journal = _bed.Journal;
        foreach (var name in (string[])["made", "not-made"])
        {
            var now = FileImage.Look($"{_bed.Root}/{name}");
            journal.Keep(Files.ReadAllBytes($"{_bed.Root}/{name}"));
            journal.Begin(new LayerChange(0, "base", "file", $"{_bed.Root}/{name}", default) { FileBefore = now, FileAfter = now with { Content = journal.Keep("new\n"u8.ToArray()) } });
        }

        Files.AtomicWrite($"{_bed.Root}/made", "new\n");
        var layer = LayerBed.Layer("base", _bed.File("made", "new\n", 0x180), _bed.File("not-made", "new\n", 0x180));
        Assert.Equal(2, Assert.IsType<RollbackOutcome.Refused>(_bed.Rollback(layer)).Reasons.Count);

        Assert.Equal([$"file {_bed.Root}/not-made: its content"], _bed.Apply(layer).Made);
        Assert.IsType<RollbackOutcome.RolledBack>(_bed.Rollback(layer));
        Assert.Equal(before, _bed.Picture());
    }

    [Fact]
    public void The_difference_of_two_texts_is_what_is_between_their_common_ends()
    {
        Assert.Equal(["- b", "+ B", "+ x"], StepLook.Difference("a\nb\nc\n", "a\nB\nx\nc\n"));
        Assert.Equal(["+ a"], StepLook.Difference("", "a\n"));
        Assert.Equal(["- a"], StepLook.Difference("a\n", ""));
        Assert.Equal(["(no text)"], StepLook.Difference("", "a\0b"));
    }

    [Fact]
    public async Task The_content_of_a_secret_file_is_not_shown()
    {
        var step = new LayerStep.File($"{_bed.Root}/key", "hidden\n", null, _bed.User, _bed.Group, 0x180, IsSecret: true);
        var planned = Assert.Single(await StepLook.LookAsync(step, _bed.Doors, changedBefore: false));
        Assert.Equal(["(its content is not shown)"], planned.Detail);
        Assert.DoesNotContain("hidden", planned.Words, StringComparison.Ordinal);
    }

    /// <summary>Whatever layers do with files, one after the other, a rollback of all of them brings back what was there.</summary>
    [Fact]
    public void Any_sequence_of_layers_is_taken_back_exactly()
    {
        var names = Gen.Elements("a", "b", "c", "d/a", "d/b", "d/e/f");
        var step = Gen.OneOf(
            names.SelectMany(n => Gen.Choose(0, 3).Select(c => (Kind: 0, Name: n, Content: c))), Gen.Elements("d", "d/e", "g").Select(n => (Kind: 1, Name: n, Content: 0)), names.Select(n => (Kind: 2, Name: n, Content: 0)));
        var layers = Gen.ArrayOf(Gen.ArrayOf(step, 3), 4);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(30), Prop.ForAll(Arb.From(layers), plan =>
        {
            using var bed = new LayerBed();
            bed.Write("a", "was there\n");
            bed.Write("d/b", "was there, too\n", 0x124);
            var before = bed.Picture();
            var specs = plan.Select((steps, i) => LayerBed.Layer($"l{i}", [.. steps.Select(s => s.Kind switch
            {
                0 => bed.File(s.Name, new string('x', s.Content) + "\n", 0x180 + s.Content),
                1 => bed.Folder(s.Name, 0x1C0),
                _ => bed.Gone(s.Name),
            })])).ToArray();
            foreach (var spec in specs) Assert.Null(bed.Apply(spec).Why);
            Assert.IsNotType<RollbackOutcome.Refused>(bed.Rollback(specs));
            return before == bed.Picture();
        }));
    }
}
