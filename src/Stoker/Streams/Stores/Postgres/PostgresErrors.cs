using Npgsql;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>
/// What an error of the server says about a batch. By its class (https://www.postgresql.org/docs/15/errcodes-appendix.html): bad data, a constraint and a limit of one row
/// are about a document; everything else is about the server, and passes.
/// </summary>
internal static class PostgresErrors
{
    private static readonly string[] OfTheData = ["21", "22", "23", "54", "P0"];

    /// <summary>The end of the connection: what ran may have been committed.</summary>
    private static readonly string[] OfTheConnection = ["08", "57", "58", "XX"];

    public static bool IsOfTheData(PostgresException error) => OfTheData.Any(error.SqlState.StartsWith);

    public static bool IsOfTheConnection(PostgresException error) => OfTheConnection.Any(error.SqlState.StartsWith);

    /// <summary>Without the statement and its values.</summary>
    public static string InWords(PostgresException error) => $"{error.MessageText} (SQLSTATE {error.SqlState})";

    /// <summary>The innermost reason, which is what an owner can do something about.</summary>
    public static string InWords(Exception error) => error switch
    {
        PostgresException known => InWords(known),
        { InnerException: { } inner } => $"{error.Message}: {InWords(inner)}",
        _ => error.Message,
    };
}
