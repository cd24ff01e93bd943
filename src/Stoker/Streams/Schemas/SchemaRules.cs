namespace Stoker.Streams.Schemas;

// What a schema says of values of one kind.
internal sealed class SchemaObjectRules
{
    public NameTable<SchemaNode>? Properties { get; set; }

    public (SchemaPattern Pattern, SchemaNode Schema)[] Patterns { get; set; } = [];

    public SchemaNode? Additional { get; set; }

    public SchemaNode? Names { get; set; }

    public RequiredName[] Required { get; set; } = [];

    public (RequiredName Name, RequiredName[] Required)[] DependentRequired { get; set; } = [];

    public (RequiredName Name, SchemaNode Schema)[] DependentSchemas { get; set; } = [];

    public int MinCount { get; set; }

    public int MaxCount { get; set; } = int.MaxValue;
}

internal sealed class SchemaArrayRules
{
    public SchemaNode[] Prefix { get; set; } = [];

    public SchemaNode? Items { get; set; }

    public SchemaNode? Contains { get; set; }

    public int MinContains { get; set; } = 1;

    public int MaxContains { get; set; } = int.MaxValue;

    public int MinCount { get; set; }

    public int MaxCount { get; set; } = int.MaxValue;

    public bool IsUnique { get; set; }
}

internal sealed class SchemaNumberRules
{
    public SchemaNumber? Minimum { get; set; }

    public SchemaNumber? ExclusiveMinimum { get; set; }

    public SchemaNumber? Maximum { get; set; }

    public SchemaNumber? ExclusiveMaximum { get; set; }

    public SchemaNumber? MultipleOf { get; set; }
}

internal sealed class SchemaTextRules
{
    /// <summary>In code points, as are all lengths.</summary>
    public int MinLength { get; set; }

    public int MaxLength { get; set; } = int.MaxValue;

    public SchemaPattern? Pattern { get; set; }

    public SchemaFormat? Format { get; set; }
}
