namespace Stoker.Streams.Stores.Mongo;

/// <summary>
/// A BSON document in memory, in its order: commands, answers, what people asked for. Values are double, string, <see cref="BsonMap"/>, <c>List&lt;object?&gt;</c>, byte[],
/// bool, DateTime, int, long, null, or <see cref="BsonOther"/>.
/// </summary>
internal sealed class BsonMap : List<KeyValuePair<string, object?>>
{
    public BsonMap()
    {
    }

    public BsonMap(IEnumerable<KeyValuePair<string, object?>> fields)
        : base(fields)
    {
    }

    public object? this[string name]
    {
        get
        {
            var at = FindIndex(field => field.Key == name);
            return at < 0 ? null : this[at].Value;
        }
        set
        {
            var at = FindIndex(field => field.Key == name);
            if (at < 0) Add(name, value);
            else this[at] = new(name, value);
        }
    }

    public void Add(string name, object? value) => Add(new KeyValuePair<string, object?>(name, value));

    public BsonMap With(string name, object? value)
    {
        Add(name, value);
        return this;
    }

    public string Text(string name) => this[name] as string ?? "";

    public BsonMap? Map(string name) => this[name] as BsonMap;

    public IEnumerable<BsonMap> Maps(string name) => (this[name] as List<object?> ?? []).OfType<BsonMap>();

    /// <summary>Whole numbers come in three types, by whim of the server.</summary>
    public long Whole(string name) => this[name] switch
    {
        int number => number,
        long number => number,
        double number => (long)number,
        bool truth => truth ? 1 : 0,
        _ => 0,
    };
}

/// <summary>A value of a type that nothing here makes: kept, not understood.</summary>
internal sealed record BsonOther(byte Type, ReadOnlyMemory<byte> Bytes);
