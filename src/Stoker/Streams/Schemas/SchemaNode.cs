namespace Stoker.Streams.Schemas;

/// <summary>One schema or part of one, read and resolved. Null and empty: the keyword is not there.</summary>
internal sealed class SchemaNode
{
    /// <summary>The schema <c>true</c> or <c>false</c>.</summary>
    public bool? Always { get; set; }

    public SchemaTypes Types { get; set; }

    /// <summary>Tokens of the schema's tape.</summary>
    public int[] Enum { get; set; } = [];

    /// <summary>Token of the schema's tape, or -1.</summary>
    public int Const { get; set; } = -1;

    public SchemaObjectRules? Objects { get; set; }

    public SchemaArrayRules? Arrays { get; set; }

    public SchemaNumberRules? Numbers { get; set; }

    public SchemaTextRules? Texts { get; set; }

    /// <summary>Schemas that the same value is checked against: <c>$ref</c> and <c>allOf</c>.</summary>
    public List<SchemaNode> All { get; } = [];

    public SchemaNode[] Any { get; set; } = [];

    public SchemaNode[] One { get; set; } = [];

    public SchemaNode? Not { get; set; }

    public SchemaNode? If { get; set; }

    public SchemaNode? Then { get; set; }

    public SchemaNode? Else { get; set; }

    public SchemaNode? UnevaluatedProperties { get; set; }

    public SchemaNode? UnevaluatedItems { get; set; }

    public SchemaObjectRules ForObjects => Objects ??= new SchemaObjectRules();

    public SchemaArrayRules ForArrays => Arrays ??= new SchemaArrayRules();

    public SchemaNumberRules ForNumbers => Numbers ??= new SchemaNumberRules();

    public SchemaTextRules ForTexts => Texts ??= new SchemaTextRules();

    /// <summary>Every schema that the same value may be checked against.</summary>
    public IEnumerable<SchemaNode> InPlace() =>
        [.. All, .. Any, .. One, .. new[] { Not, If, Then, Else }.OfType<SchemaNode>(), .. Objects?.DependentSchemas.Select(d => d.Schema) ?? []];
}
