namespace Stoker.Limits;

/// <summary>
/// What one key has used today, this month (UTC) and ever. Counted for every key, so that a budget given later starts from the truth. A request belongs to
/// the day and month it was admitted in, as in the ledger.
/// </summary>
internal sealed class BudgetMeter
{
    private static readonly TimeSpan WhenSomebodySettles = TimeSpan.FromSeconds(1);

    private long _usedDay, _usedMonth, _usedEver;

    /// <summary>Days since the year 1.</summary>
    public int Day { get; private set; }

    /// <summary>Months since the year 1.</summary>
    public int Month { get; private set; }

    /// <summary>Of requests under way.</summary>
    public long Reserved { get; private set; }

    public void StartFrom(BudgetUse use, long now)
    {
        Advance(now);
        _usedDay += use.Day;
        _usedMonth += use.Month;
        _usedEver += use.Total;
    }

    public long UsedIn(BudgetPeriod period, long now)
    {
        Advance(now);
        return period switch
        {
            BudgetPeriod.Day => _usedDay,
            BudgetPeriod.Month => _usedMonth,
            BudgetPeriod.Total => _usedEver,
        };
    }

    public Refusal? Check(BudgetSpec budget, long requested, long now)
    {
        var used = UsedIn(budget.Period, now);
        if (used + Reserved + requested <= budget.Tokens) return null;
        TimeSpan? wait = requested > budget.Tokens ? null
            : used + requested <= budget.Tokens ? WhenSomebodySettles
            : UntilNext(budget.Period, now);
        return new Refusal(LimitKind.Budget, LimitScope.Key, budget.Tokens, used + Reserved, requested, wait);
    }

    public void Reserve(long tokens, long now)
    {
        Advance(now);
        Reserved += tokens;
    }

    public void Settle(in LeaseSlot slot, long actual, long now)
    {
        Advance(now);
        Reserved -= slot.Tokens;
        if (slot.Day == Day) _usedDay += actual;
        if (slot.Month == Month) _usedMonth += actual;
        _usedEver += actual;
    }

    private void Advance(long now)
    {
        var day = (int)(now / TimeSpan.TicksPerDay);
        if (day == Day) return;
        var date = new DateTime(now, DateTimeKind.Utc);
        var month = (date.Year * 12) + date.Month;
        if (Month != month) _usedMonth = 0;
        _usedDay = 0;
        Day = day;
        Month = month;
    }

    private static TimeSpan? UntilNext(BudgetPeriod period, long now)
    {
        var today = new DateTime(now, DateTimeKind.Utc).Date;
        return period switch
        {
            BudgetPeriod.Day => TimeSpan.FromTicks(today.AddDays(1).Ticks - now),
            BudgetPeriod.Month => TimeSpan.FromTicks(new DateTime(today.Year, today.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1).Ticks - now),
            BudgetPeriod.Total => null,
        };
    }
}
