using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>Documents in PostgreSQL. A batch is one statement and one round trip; only when the server refuses data is it taken apart, in a transaction.</summary>
internal sealed class PostgresStore(StoreSpec spec, TimeProvider time) : IDocumentStore
{
    private readonly PostgresConnection _connection = new(spec, time);
    private PostgresStatements? _statements;
    private int _statementsOf;

    /// <summary>More are not written faster, and what comes next waits longer.</summary>
    public int BatchSize => 2000;

    public Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation) =>
        TryAsync(statements => statements.TakeAsync(place, start, cancellation), cancellation);

    public async Task<ApplyOutcome> ApplyAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        PostgresStatements statements;
        try
        {
            statements = await StatementsAsync(cancellation);
        }
        catch (StoreUnavailableException unavailable)
        {
            return new ApplyOutcome.Outage(unavailable.Message);
        }

        batch.Prepare(spec.Mode);
        try
        {
            return await statements.ApplyAsync(claim, batch, cancellation) ?? await WhyNotAsync(claim, cancellation);
        }
        catch (PostgresException refused) when (PostgresErrors.IsOfTheData(refused))
        {
            return await ApplyInPartsAsync(claim, batch, cancellation);
        }
        catch (PostgresException refused) when (!PostgresErrors.IsOfTheConnection(refused))
        {
            return Outage(refused);
        }
        catch (Exception broken) when (IsBroken(broken))
        {
            await _connection.GiveUpAsync();
            return new ApplyOutcome.Ambiguous($"{spec.Address}: {PostgresErrors.InWords(broken)}");
        }
        catch (OperationCanceledException)
        {
            await _connection.GiveUpAsync();
            throw;
        }
    }

    public Task<StorePosition?> PositionAsync(LogPlace place, CancellationToken cancellation) =>
        TryAsync(async statements => (await statements.PositionAsync(place, cancellation))?.Position, cancellation);

    public async IAsyncEnumerable<FoundDocument> QueryAsync(DocumentQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var connection = await _connection.GetAsync(cancellation);
        await using var found = PostgresQueries.Run(connection, spec, query, cancellation).GetAsyncEnumerator(cancellation);
        while (true)
        {
            bool isMore;
            try
            {
                isMore = await found.MoveNextAsync();
            }
            catch (Exception failed) when (IsBroken(failed))
            {
                throw Unavailable(failed);
            }

            if (!isMore) yield break;
            yield return found.Current;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        if (_statements is not null) await _statements.DisposeAsync();
    }

    private static bool IsBroken(Exception error) => error is NpgsqlException or SocketException or IOException or TimeoutException;

    private async Task<ApplyOutcome> ApplyInPartsAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        var isCommitting = false;
        try
        {
            var connection = await _connection.GetAsync(cancellation);
            var statements = await StatementsAsync(cancellation);
            batch.Prepare(spec.Mode);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            if (!await statements.MoveAsync(claim, batch, cancellation))
            {
                await transaction.RollbackAsync(cancellation);
                return await WhyNotAsync(claim, cancellation);
            }

            var written = new HashSet<Guid>();
            await new PostgresParts(statements, transaction, batch, written).InsertAsync(batch.Distinct.ToArray(), cancellation);
            batch.MarkDuplicatesBut(written);
            await batch.HandOverPoisonAsync(cancellation);
            isCommitting = true;
            await transaction.CommitAsync(cancellation);
            return batch.Applied();
        }
        catch (StoreUnavailableException unavailable)
        {
            return new ApplyOutcome.Outage(unavailable.Message);
        }
        catch (PostgresException refused) when (!PostgresErrors.IsOfTheConnection(refused))
        {
            return Outage(refused);
        }
        catch (Exception broken) when (broken is NpgsqlException or SocketException)
        {
            await _connection.GiveUpAsync();
            var reason = $"{spec.Address}: {PostgresErrors.InWords(broken)}";
            return isCommitting ? new ApplyOutcome.Ambiguous(reason) : new ApplyOutcome.Outage(reason);
        }
        catch
        {
            // Cancelled, or the dead letters could not be kept: nothing of it has happened.
            await _connection.GiveUpAsync();
            throw;
        }
    }

    private ApplyOutcome.Outage Outage(PostgresException refused) => new($"{spec.Address}: {PostgresErrors.InWords(refused)}");

    private async Task<ApplyOutcome> WhyNotAsync(StoreClaim claim, CancellationToken cancellation)
    {
        try
        {
            var found = await TryAsync(statements => statements.PositionAsync(claim.Place, cancellation), cancellation);
            return found is { } row && row.Epoch == claim.Epoch ? new ApplyOutcome.Elsewhere(row.Position) : new ApplyOutcome.Fenced(found?.Epoch ?? 0);
        }
        catch (StoreUnavailableException unavailable)
        {
            return new ApplyOutcome.Outage(unavailable.Message);
        }
    }

    private async Task<PostgresStatements> StatementsAsync(CancellationToken cancellation)
    {
        var connection = await _connection.GetAsync(cancellation);
        if (_statements is { } known && _statementsOf == _connection.Number) return known;
        (_statements, _statementsOf) = (new PostgresStatements(connection, spec), _connection.Number);
        return _statements;
    }

    private async Task<T> TryAsync<T>(Func<PostgresStatements, Task<T>> work, CancellationToken cancellation)
    {
        var statements = await StatementsAsync(cancellation);
        try
        {
            return await work(statements);
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            if (failed is not PostgresException known || PostgresErrors.IsOfTheConnection(known)) await _connection.GiveUpAsync();
            throw Unavailable(failed);
        }
    }

    private StoreUnavailableException Unavailable(Exception failed) => new($"{spec.Address}: {PostgresErrors.InWords(failed)}", failed);
}
