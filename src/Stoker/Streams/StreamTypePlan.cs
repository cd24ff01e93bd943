using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Stoker.Streams.Schemas;

namespace Stoker.Streams;

/// <summary>A declared type of events, with its schema as it was when it was applied: a file that changes is a plan that changes.</summary>
internal sealed record StreamTypePlan(string Type)
{
    /// <summary>The schema's text; null: data of any form, or, of <c>gpu.facts.v1</c>, the built-in one.</summary>
    public string? Schema { get; set; }

    /// <summary>The data have a vector at <c>embedding</c>, if they have anything there.</summary>
    public bool HasVector { get; set; }

    /// <summary>Of the vector; null: any.</summary>
    public int? Dimension { get; set; }

    /// <exception cref="IOException">The schema is none to this program.</exception>
    public EventTypeSpec ToSpec() => new(Type, ReadSchema(), HasVector ? new VectorSpec { Dimension = Dimension } : null);

    private JsonSchema? ReadSchema()
    {
        if (Schema is null) return Type == EventsModule.GpuFacts ? GpuFacts.Schema : null;
        var (schema, problems) = JsonSchema.Read(Encoding.UTF8.GetBytes(Schema));
        return schema ?? throw new IOException($"the schema of type `{Type}` is wrong at {problems[0].Path}: {problems[0].Message}");
    }
}
