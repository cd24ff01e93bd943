using System.Buffers;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Json;

namespace Stoker.Streams.Transform;

/// <summary>Finds the host that an event's data name, among those of the estate. Immutable; asked for each event, and allocates nothing then.</summary>
internal sealed class HostDirectory
{
    private readonly FieldPath _path;
    private readonly List<KnownHost> _hosts = [];

    /// <param name="path">Where in the data the host's name or address stands.</param>
    public HostDirectory(FieldPath path, IReadOnlyList<HostFacts> hosts)
    {
        _path = path;
        foreach (var host in hosts) _hosts.Add(new KnownHost(host));
    }

    /// <param name="data">The tape of an event's data.</param>
    public EventEnrichment Find(JsonTape data)
    {
        var token = _path.Find(data, 0);
        if (token < 0 || data.Kind(token) != JsonKind.String) return EventEnrichment.None;
        foreach (var host in _hosts)
        {
            if (host.IsCalled(data, token)) return host.With(data);
        }

        return EventEnrichment.None;
    }

    /// <summary>A host with all that may be said of an event of its: as many as it has cards, and one for none of them.</summary>
    private sealed class KnownHost
    {
        private readonly byte[] _name, _address;
        private readonly List<(byte[] Model, byte[] Uuid, EventEnrichment Said)> _cards = [];
        private readonly EventEnrichment _without;

        public KnownHost(HostFacts host)
        {
            (_name, _address) = (Encoding.UTF8.GetBytes(host.Name), Encoding.UTF8.GetBytes(host.Address ?? ""));
            var facts = FactsOf(host);
            _without = new EventEnrichment(host.Name, null) { Facts = facts };
            foreach (var card in host.Gpus)
                _cards.Add((Encoding.UTF8.GetBytes(Short(card.Model)), Encoding.UTF8.GetBytes(card.Uuid ?? ""), new EventEnrichment(host.Name, card.Uuid ?? card.Model) { Facts = facts }));
        }

        public bool IsCalled(JsonTape data, int token) =>
            Ascii.EqualsIgnoreCase(data.Content(token), _name) || (_address.Length > 0 && data.Content(token).SequenceEqual(_address));

        /// <summary>The card whose UUID the event says, or the only one of the model that it says.</summary>
        public EventEnrichment With(JsonTape data)
        {
            var device = data.Find(0, "gpu_hardware"u8);
            if (device >= 0 && data.Kind(device) == JsonKind.Array) device = data.Count(device) == 1 ? device + 1 : -1;
            if (device < 0) return _without;
            if (data.Find(device, "uuid"u8) is >= 0 and var uuid && data.Kind(uuid) == JsonKind.String)
            {
                foreach (var card in _cards)
                {
                    if (card.Uuid.Length > 0 && Ascii.EqualsIgnoreCase(data.Content(uuid), card.Uuid)) return card.Said;
                }
            }

            return data.Find(device, "device_name"u8) is >= 0 and var name && data.Kind(name) == JsonKind.String ? OfModel(data.Content(name)) : _without;
        }

        private EventEnrichment OfModel(ReadOnlySpan<byte> said)
        {
            EventEnrichment? found = null;
            foreach (var card in _cards)
            {
                // The driver says `NVIDIA GeForce RTX 4090` where people write `RTX 4090`.
                if (said.Length < card.Model.Length || !Ascii.EqualsIgnoreCase(said[^card.Model.Length..], card.Model)) continue;
                if (found is not null) return _without;
                found = card.Said;
            }

            return found ?? _without;
        }

        private static string Short(string model) => string.Join(' ', model.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .SkipWhile(word => word.Equals("NVIDIA", StringComparison.OrdinalIgnoreCase) || word.Equals("GeForce", StringComparison.OrdinalIgnoreCase)));

        private static byte[] FactsOf(HostFacts host)
        {
            var output = new ArrayBufferWriter<byte>();
            using var json = new Utf8JsonWriter(output);
            json.WriteStartObject();
            if (host.Address is { } address) json.WriteString("address"u8, address);
            if (host.Cpus is { } cpus) json.WriteNumber("cpus"u8, cpus);
            if (host.Memory is { } memory) json.WriteNumber("memory"u8, memory);
            json.WriteStartArray("gpus"u8);
            foreach (var card in host.Gpus)
            {
                json.WriteStartObject();
                json.WriteString("model"u8, card.Model);
                if (card.Memory is { } size) json.WriteNumber("memory"u8, size);
                if (card.Uuid is { } uuid) json.WriteString("uuid"u8, uuid);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.Flush();
            return output.WrittenSpan.ToArray();
        }
    }
}
