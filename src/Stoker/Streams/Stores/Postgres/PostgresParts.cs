using Npgsql;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>Documents of which the server refuses some: halved, and the halves halved, until each that is refused is alone. Each part is undone alone.</summary>
internal sealed class PostgresParts(PostgresStatements statements, NpgsqlTransaction transaction, DocumentBatch batch, HashSet<Guid> written)
{
    private const string Mark = "stoker_part";

    public async Task InsertAsync(int[] items, CancellationToken cancellation)
    {
        if (items.Length == 0) return;
        await transaction.SaveAsync(Mark, cancellation);
        try
        {
            written.UnionWith(await statements.InsertAsync(batch, items, cancellation));
            await transaction.ReleaseAsync(Mark, cancellation);
            return;
        }
        catch (PostgresException refused) when (PostgresErrors.IsOfTheData(refused))
        {
            await transaction.RollbackAsync(Mark, cancellation);
            await transaction.ReleaseAsync(Mark, cancellation);
            if (items.Length == 1)
            {
                batch.MarkPoison(items[0], PostgresErrors.InWords(refused));
                return;
            }
        }

        var half = items.Length / 2;
        await InsertAsync(items[..half], cancellation);
        await InsertAsync(items[half..], cancellation);
    }
}
