using Stoker.Gpus.Mig;
using Stoker.Platform;
using Stoker.Platform.Gpus;

namespace Stoker.Daemon;

/// <summary>What is known of the cards that were divided, on disk before it is relied on: for the next daemon, and for who asks which instance is whose.</summary>
/// <param name="bootId">This run of the machine: instances do not survive its end.</param>
internal sealed class PartitionNotes(string file, string bootId)
{
    private readonly Lock _lock = new();
    private MigRecords _records = MigRecords.Read(Files.ReadIfPresent(file));

    public MigRecord? Of(string uuid)
    {
        lock (_lock) return _records.Cards.GetValueOrDefault(uuid);
    }

    public bool IsOfThisRun(MigRecord record) => record.BootId == bootId;

    public IReadOnlyList<MigGiven> GivenOn(string uuid) => Of(uuid)?.Given ?? [];

    /// <summary>A change is begun.</summary>
    public void Begin(string uuid, IReadOnlyList<MigGiven> given, MigState now, MigShape before) => Save(uuid, new MigRecord(bootId, true, given, MigShape.Of(now), before));

    /// <summary>The card is as it is to be, or as it is left.</summary>
    public void Settle(string uuid, IReadOnlyList<MigGiven> given, MigState now) => Save(uuid, new MigRecord(bootId, false, given, MigShape.Of(now), null));

    private void Save(string uuid, MigRecord record)
    {
        lock (_lock)
        {
            _records = _records.With(uuid, record);
            Files.Replace(file, _records.ToBytes());
        }
    }
}
