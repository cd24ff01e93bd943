namespace Stoker.Streams.Schemas;

/// <summary>
/// JSON Schema, draft 2020-12, for events: a schema is read once into nodes, and each event's tape is checked against them.
/// <code>
/// schema's bytes → SchemaReader → JsonSchema (nodes) or problems with their paths
/// tape + JsonSchema → SchemaCheck → nothing, or every mistake with its path
/// </code>
/// Promises: every keyword of the core, applicator, unevaluated, validation, format, meta-data and content vocabularies that concerns
/// one document; numbers are compared exactly; patterns are matched in linear time; a valid document costs no allocation.
/// Refuses, when the schema is read and with the path: keywords it does not know, references to other documents, <c>$dynamicRef</c>,
/// patterns that need backtracking (look-around, back-references), schemas that refer to themselves without end. A keyword is never
/// ignored.
/// </summary>
internal static class SchemasModule
{
    public const string Dialect = "https://json-schema.org/draft/2020-12/schema";
}
