using Xunit;

namespace Stoker.Tests.Architecture;

public sealed class FloorPlanTests
{
    [Fact]
    public void Parts_refer_only_where_an_arrow_is_allowed()
    {
        var allowed = FloorPlan.Arrows.Select(arrow => (arrow.From, arrow.To)).ToHashSet();
        Findings.AreNone(References.Find()
            .Where(found => found.Key.From != FloorPlan.Root && !allowed.Contains(found.Key))
            .Select(found => $"{found.Key.From} → {found.Key.To}: {found.Value}").Order());
    }

    [Fact]
    public void No_arrow_is_listed_that_the_code_does_not_need()
    {
        var found = References.Find();
        Findings.AreNone(FloorPlan.Arrows.Where(arrow => !found.ContainsKey((arrow.From, arrow.To))).Select(arrow => $"{arrow.From} → {arrow.To}"));
    }

    [Fact]
    public void No_arrow_is_listed_twice() =>
        Findings.AreNone(FloorPlan.Arrows.GroupBy(arrow => (arrow.From, arrow.To)).Where(same => same.Count() > 1).Select(same => $"{same.Key.From} → {same.Key.To}"));

    [Fact]
    public void Every_folder_is_a_part_of_the_plan() =>
        Assert.Equal(
            FloorPlan.Parts.Select(part => part.Name.Split('/')[0]).Distinct().Order(),
            Repository.Sources.Select(file => file.Folder).Where(folder => folder.Length > 0).Distinct().Order());

    [Fact]
    public void Every_front_door_says_what_its_part_is_for() =>
        Findings.AreNone(FloorPlan.Parts.Where(part => Comment($"{part.Name}/{part.FrontDoor}").Count() < 3)
            .Select(part => $"{part.Name}/{part.FrontDoor} has no comment that tells what {part.Name} is for, promises and refuses"));

    [Fact]
    public void The_page_of_the_floor_plan_is_the_table() => Repository.HoldPage("docs/floor-plan.md", FloorPlan.Page());

    private static IEnumerable<string> Comment(string path) =>
        (Repository.Sources.SingleOrDefault(file => file.Path == path)?.Lines ?? [])
            .SkipWhile(line => !line.StartsWith("/// <summary>", StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith("///", StringComparison.Ordinal));
}
