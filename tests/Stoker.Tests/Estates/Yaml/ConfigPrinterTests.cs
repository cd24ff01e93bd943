using FsCheck;
using FsCheck.Fluent;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates.Yaml;

public sealed class ConfigPrinterTests
{
    private static readonly SourcePosition Where = new("x", 1, 1);

    private static readonly string[] Typed = ["80", "-1", "+2", "0x1F", "1.5e3", ".5", "-.inf", "true", "No", "on", "2026-01-01", "12:30"];

    [Fact]
    public void Whatever_is_printed_reads_back_equal() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(800).WithQuietOnSuccess(true),
        Prop.ForAll(Mappings(4).ToArbitrary(), root =>
        {
            var text = ConfigPrinter.Print(root);
            var bag = new DiagnosticBag();
            var again = new FakeEstateFiles().With("stoker.yaml", text).Load(bag, null);
            var (expected, actual) = (Shape(root), again is null ? string.Join('\n', bag) : Shape(again.Root));
            return (expected == actual).Label($"{expected}\n---\n{actual}\n---\n{text}");
        }));

    [Fact]
    public void Dollars_are_doubled_except_where_they_name_a_variable_of_the_service()
    {
        var root = FakeEstateFiles.Parse("a: $$HOME $(PORT) $$$(X) ^$\n");
        Assert.Equal("a: $$HOME $(PORT) $$$(X) ^$$\n", ConfigPrinter.Print(root));
    }

    [Fact]
    public void Hidden_values_show_their_place_only()
    {
        var root = FakeEstateFiles.Parse("services:\n  web:\n    environment: {API_KEY: secret, LEVEL: info}\n  old:\n    environment: [API_KEY=secret, LEVEL=info]\n    command: [a, secret]\n");
        var text = ConfigPrinter.Print(root, path => path.EndsWith(".API_KEY", StringComparison.Ordinal) || path == "services.old.command[1]");
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Contains("API_KEY: (hidden)\n", text, StringComparison.Ordinal);
        Assert.Contains("- API_KEY=(hidden)\n      - LEVEL=info\n", text, StringComparison.Ordinal);
        Assert.Contains("- a\n      - (hidden)\n", text, StringComparison.Ordinal);
    }

    private static Gen<MappingNode> Mappings(int depth) =>
        from count in Gen.Choose(0, 6)
        from keys in Texts().ListOf(count)
        from values in Nodes(depth - 1).ListOf(keys.Count)
        select new MappingNode([.. keys.Distinct().Zip(values, (k, v) => new KeyValuePair<ScalarNode, Node>(new ScalarNode(k, false, Where), v))], Where);

    private static Gen<Node> Nodes(int depth)
    {
        var scalars = Scalars().Select(s => (Node)s);
        if (depth == 0) return scalars;
        var small = Gen.Choose(0, 4);
        return Gen.Frequency(
            (4, scalars),
            (1, small.SelectMany(n => Nodes(depth - 1).ListOf(n)).Select(items => (Node)new SequenceNode([.. items], Where))),
            (1, Mappings(depth).Select(m => (Node)m)));
    }

    private static Gen<ScalarNode> Scalars() => Gen.OneOf(
        Gen.Constant(new ScalarNode(null, true, Where)),
        Texts().Select(t => new ScalarNode(t, false, Where)),
        Gen.Elements(Typed).Select(t => new ScalarNode(t, true, Where)));

    private static Gen<string> Texts()
    {
        var pieces = Gen.Elements(
            "a", "key", "80", " ", "  ", "\n", "\n\n", "\t", "\r", ":", ": ", " #", "#", "-", "- ", "---", "...", "?", "'", "\"", "\\", "$", "${", "}", "$(", "{", "[", "]", ",", "&x", "*x",
            "!", "|", ">", "%", "@", "`", "~", "null", "true", "<<", "=", "é", "\u2028", "\u0085", "\ufeff", "😀", "\u0007", "\u007f", "//", ".");
        return Gen.Choose(0, 5).SelectMany(n => pieces.ListOf(n)).Select(string.Concat);
    }

    /// <summary>Structure, values and what a value would be read as.</summary>
    private static string Shape(Node node) => node switch
    {
        MappingNode mapping => $"{{{string.Join(", ", mapping.Entries.Select(e => $"{e.Key.Value} => {Shape(e.Value)}"))}}}",
        SequenceNode list => $"[{string.Join(", ", list.Items.Select(Shape))}]",
        ScalarNode { Value: null } => "null",
        ScalarNode scalar => $"{(scalar.Plain && Typed.Contains(scalar.Value) ? "typed" : "text")} <{scalar.Value}>",
        _ => "?",
    };

}
