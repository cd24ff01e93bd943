namespace Stoker.Streams.Stores;

/// <summary>
/// Where a stream's documents are kept: SQLite, PostgreSQL, MongoDB or Amazon DocumentDB, behind one seam.
/// <code>
/// DocumentBatch ─▶ ApplyAsync ─▶ one transaction: epoch checked · documents in · [dead letters durable] · position forward ─▶ ApplyOutcome
///   Applied    each item: stored, duplicate or poison          Fenced     another worker has taken the partition: stop
///   Outage     nothing happened, the same again later          Elsewhere  the position is not where this batch begins: go on from there
///   Ambiguous  not known whether it happened: ask for the position, which decides
/// </code>
/// Promises: a document is there once for each source and id, whatever is retried, replayed or killed; the position is in the same transaction as the
/// documents (MongoDB: after them, and documents are written by id, so that the same again changes nothing) and never goes back; one bad document
/// does not keep the others out, and is handed over before the position passes it; an outage is not taken for a bad document, nor the other way round;
/// what is read is the document that was written, to the last digit, also where the database cannot hold it in its own form.
/// Refuses: writes under an old epoch, a batch that does not begin at the position, passwords in addresses.
/// A store has one connection and is used by one caller at a time; each partition, and whoever asks questions, has its own.
/// </summary>
internal static class StoresModule
{
    /// <exception cref="StoreUnavailableException">An address that is not one, with what is wrong.</exception>
    public static IDocumentStore Open(StoreSpec spec, TimeProvider time) => spec.Address.Kind switch
    {
        StoreKind.Sqlite => new Sqlite.SqliteStore(spec),
        StoreKind.Postgres => new Postgres.PostgresStore(spec, time),
        StoreKind.Mongo => new Mongo.MongoStore(spec, time),
    };
}
