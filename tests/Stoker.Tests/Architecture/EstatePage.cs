using System.Text;
using Stoker.Estates.Keys;
using Xunit;

namespace Stoker.Tests.Architecture;

/// <summary>The reference of the estate file, made from the tables that read it.</summary>
public sealed class EstatePage
{
    private const string Opening = """
        # The estate file

        An estate file is a superset of a [Compose](https://github.com/compose-spec/compose-spec) file: what Compose says, it means. This
        page lists every key, table by table, and what Stoker does about it; it is generated from the tables that read the file, as is
        the JSON Schema that `stoker config schema` prints for editors. A key that is not here is an error, but for `x-…`.

        Values that appear everywhere: a duration is `1m30s`, a size `512m`, `2G` or `24GiB`; `${NAME}`, `${NAME:-default}`, `${NAME:?message}`
        and the rest of Compose's interpolation are filled in while the file is read, from the environment and `.env`; `$(NAME)` is filled in
        at the start of a service, from that service's own environment. `stoker config explain PATH` says about one value what it is, who set
        it, and what it overrode.

        """;

    [Fact]
    public void The_reference_of_the_estate_file_has_every_key()
    {
        var page = new StringBuilder(Opening);
        var seen = new HashSet<string>();
        var waiting = new Queue<KeyTable>([TopKeys.With(Modules.Sections)]);
        while (waiting.TryDequeue(out var table))
        {
            if (!seen.Add(table.Name)) continue;
            page.Append($"\n## {table.Name}\n\n{table.Documentation}\n\n| key | value | meaning |\n|---|---|---|\n");
            foreach (var row in table.Rows)
            {
                var tables = TablesIn(row.Shape).ToList();
                var links = string.Concat(tables.Select(below => $" ([{below.Name}](#{below.Name}))"));
                var support = KeyDocumentation.InWords(row.Support) is { } words ? $" *{char.ToUpperInvariant(words[0])}{words[1..]}.*" : "";
                page.Append($"| `{row.Name}`{(row.Required ? " (required)" : "")} | {Cell(row.Shape.Expectation)}{links} | {Cell(row.Documentation + support)} |\n");
                foreach (var below in tables) waiting.Enqueue(below);
            }
        }

        Repository.HoldPage("docs/estate-file.md", page.ToString());
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static IEnumerable<KeyTable> TablesIn(Shape shape) => shape switch
    {
        Shape.Keyed keyed => [keyed.Table],
        Shape.MapOf map => TablesIn(map.Value),
        Shape.ListOf list => TablesIn(list.Item),
        Shape.OneOf choices => choices.Choices.SelectMany(TablesIn).Distinct(),
        _ => [],
    };
}
