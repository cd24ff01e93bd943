using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Mig;

/// <summary>What a daemon knows of the cards that it divided, for the one after it: <c>gpus.json</c> of the state directory.</summary>
internal sealed record MigRecords(IReadOnlyDictionary<string, MigRecord> Cards)
{
    public static MigRecords Empty { get; } = new(new Dictionary<string, MigRecord>());

    /// <summary>A file that cannot be read is of no use to anybody: what the card has is asked of the card.</summary>
    public static MigRecords Read(byte[]? bytes)
    {
        try
        {
            return bytes is null ? Empty : JsonSerializer.Deserialize(bytes, MigJson.Default.MigRecords) is { Cards: not null } read ? read : Empty;
        }
        catch (JsonException)
        {
            return Empty;
        }
    }

    public MigRecords With(string uuid, MigRecord record) => new(new Dictionary<string, MigRecord>(Cards) { [uuid] = record });

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, MigJson.Default.MigRecords);
}

/// <summary>One card.</summary>
/// <param name="BootId">Of the machine's run in which it was so: instances do not survive its end.</param>
/// <param name="IsChanging">A change was begun and not finished.</param>
/// <param name="Given">Who has which instance.</param>
/// <param name="Now">What it had when it was last looked at.</param>
/// <param name="Before">While it changes: to where it goes back when that fails.</param>
internal sealed record MigRecord(string BootId, bool IsChanging, IReadOnlyList<MigGiven> Given, MigShape Now, MigShape? Before)
{
    /// <summary>The places of those who ask again.</summary>
    public IReadOnlyDictionary<(uint Profile, int Start), string> HeldBy(IReadOnlyList<MigAsk> asks)
    {
        var held = new Dictionary<(uint, int), string>();
        foreach (var given in Given)
        {
            if (asks.Any(a => a.Owner == given.Owner)) held[(given.ProfileId, given.Start)] = given.Owner;
        }

        return held;
    }
}

/// <param name="Owner">As in the plan: a service, a replica or a group.</param>
internal sealed record MigGiven(string Owner, string Profile, uint ProfileId, int Start, uint Instance, string? Uuid);

internal sealed record MigShape(bool IsOn, IReadOnlyList<MigInstance> Instances)
{
    public static MigShape Of(MigState state) => new(state.IsOn, state.Instances);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(MigRecords))]
internal sealed partial class MigJson : JsonSerializerContext;
