using System.Text;
using Stoker.Streams.Events;

namespace Stoker.Tests.Streams.Events;

/// <summary>Envelopes of every kind, the same for the same seed, and what they say in one text.</summary>
internal static class Envelopes
{
    public static EventEnvelope Random(Random random)
    {
        var envelope = new EventEnvelope
        {
            Form = random.Next(2) == 0 ? EventForm.Metadata : EventForm.CloudEvent, Source = Text(random, 1), Id = Text(random, 1), Type = Text(random, 1), Subject = Text(random, 0),
            Time = Text(random, 0), DataSchema = Text(random, 0), ContentType = Text(random, 0), Schema = Text(random, 0), Producer = Text(random, 0), TraceParent = Text(random, 0),
            Received = new DateTime(random.NextInt64(DateTime.MaxValue.Ticks), DateTimeKind.Utc), Dimension = random.Next(3) == 0 ? random.Next() : 0,
            HasData = random.Next(4) > 0,
        };
        if (envelope.HasData)
        {
            var data = new byte[random.Next(4) == 0 ? random.Next(70_000) : random.Next(200)];
            random.NextBytes(data);
            envelope.Data = data;
        }

        for (var i = random.Next(5); i > 0; i--) envelope.Add(new EventAttribute(Text(random, 1), Text(random, 0), (AttributeKind)random.Next(3)));
        return envelope;
    }

    public static string Show(EventEnvelope said) => string.Join('|',
        said.Form, Text(said.Source), Text(said.Id), Text(said.Type), Text(said.Subject), Text(said.Time), Text(said.DataSchema), Text(said.ContentType), Text(said.Schema),
        Text(said.Producer), Text(said.TraceParent), said.Received.Ticks, said.Dimension, said.HasData, Convert.ToHexString(said.Data.Span),
        string.Join(',', said.Extensions.Select(attribute => $"{Text(attribute.Name)}={Text(attribute.Value)} {attribute.Kind}")));

    private static byte[] Text(Random random, int least) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, least + random.Next(random.Next(8) == 0 ? 200 : 12)).Select(_ => "abc/é😀"[random.Next(5)])));

    private static string Text(ReadOnlyMemory<byte> text) => Encoding.UTF8.GetString(text.Span);
}
