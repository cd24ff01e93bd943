using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Engine;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary><c>/v1/audio/transcriptions</c>, <c>/v1/audio/speech</c> and <c>/v1/images/generations</c>: real files, decided by what was sent.</summary>
internal static class MediaEndpoints
{
    private const int SampleRate = 8000, BytesPerSecond = 16_000, Pixels = 32;

    public static async ValueTask TranscribeAsync(Call call)
    {
        var form = FormBody.Read(call.Exchange.Body, call.Exchange.Head.Header("content-type") ?? "");
        if (!form.TryGetValue("file", out var file)) throw new FormatException("the field `file` is missing");
        if (!await call.AdmitAsync(Field(form, "model"))) return;
        var chance = new Chance(Chance.Hash(file.Span) ^ (ulong)call.Options.Seed);
        var text = Grammar.Sentences(ref chance, 0);
        // Half a second of sound for a token of the prompt, as if it were speech of 16 kB a second.
        var seconds = Math.Max(1, file.Length / BytesPerSecond);
        if (!await call.ReadPromptAsync([.. Enumerable.Repeat(Tokenizer.Image, Math.Min(seconds * 2, call.Options.ContextLength))])) return;
        if (Field(form, "response_format") == "text")
        {
            await call.AnswerAsync("text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text + "\n"));
            return;
        }

        await call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString("text", text);
            json.WriteStartObject("usage");
            json.WriteString("type", "duration");
            json.WriteNumber("seconds", seconds);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    public static async ValueTask SpeakAsync(Call call)
    {
        using var body = call.ReadBody();
        var input = body.RootElement.Text("input") ?? throw new FormatException("`input` is missing");
        var format = body.RootElement.Text("response_format") ?? "wav";
        if (format is not ("wav" or "pcm")) throw new FormatException($"`response_format` `{format}` is not made here; wav and pcm are");
        if (!await call.AdmitAsync(body.RootElement.Text("model") ?? "")) return;
        var tokens = new List<uint>();
        Tokenizer.Add(input, tokens);
        if (!await call.ReadPromptAsync(tokens)) return;
        var sound = Sound(tokens);
        await call.AnswerAsync(format == "wav" ? "audio/wav" : "audio/pcm", format == "wav" ? Wav(sound) : sound);
    }

    public static async ValueTask DrawAsync(Call call)
    {
        using var body = call.ReadBody();
        var prompt = body.RootElement.Text("prompt") ?? throw new FormatException("`prompt` is missing");
        var count = body.RootElement.Count("n", 1, 10) ?? 1;
        if (!await call.AdmitAsync(body.RootElement.Text("model") ?? call.Options.Model)) return;
        var tokens = new List<uint>();
        Tokenizer.Add(prompt, tokens);
        if (!await call.ReadPromptAsync(tokens)) return;
        await call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("created", call.Server.Clock.GetUtcNow().ToUnixTimeSeconds());
            json.WriteStartArray("data");
            for (var i = 0; i < count; i++)
            {
                json.WriteStartObject();
                json.WriteBase64String("b64_json", Png(new Chance(Chance.Hash(prompt) ^ Chance.Mix((ulong)i) ^ (ulong)call.Options.Seed)));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static string Field(Dictionary<string, ReadOnlyMemory<byte>> form, string name) =>
        form.TryGetValue(name, out var value) ? Encoding.UTF8.GetString(value.Span) : "";

    /// <summary>A tone of 50 ms for each token, 16 bits, one channel.</summary>
    private static byte[] Sound(List<uint> tokens)
    {
        const int samples = SampleRate / 20;
        var sound = new byte[Math.Min(tokens.Count, 1200) * samples * 2];
        for (var i = 0; i < sound.Length / 2; i++)
        {
            var tone = 200 + (tokens[i / samples] % 400);
            BinaryPrimitives.WriteInt16LittleEndian(sound.AsSpan(i * 2), (short)(6000 * Math.Sin(2 * Math.PI * tone * i / SampleRate)));
        }

        return sound;
    }

    private static byte[] Wav(byte[] sound)
    {
        var file = new byte[44 + sound.Length];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), 36 + sound.Length);
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), SampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(28), SampleRate * 2);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(34), 16);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), sound.Length);
        sound.CopyTo(file.AsSpan(44));
        return file;
    }

    /// <summary>A gradient of two colours.</summary>
    private static byte[] Png(Chance chance)
    {
        var (from, to) = (chance.Next(), chance.Next());
        var rows = new byte[Pixels * ((Pixels * 3) + 1)];
        for (var y = 0; y < Pixels; y++)
        {
            for (var x = 0; x < Pixels * 3; x++)
            {
                var (a, b) = ((byte)(from >> (x % 3 * 8)), (byte)(to >> (x % 3 * 8)));
                rows[(y * ((Pixels * 3) + 1)) + 1 + x] = (byte)(a + ((b - a) * y / Pixels));
            }
        }

        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(rows);
        var file = new OutBuffer();
        file.Add([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
        Piece(file, "IHDR"u8, [0, 0, 0, Pixels, 0, 0, 0, Pixels, 8, 2, 0, 0, 0]);
        Piece(file, "IDAT"u8, packed.ToArray());
        Piece(file, "IEND"u8, []);
        return file.Span.ToArray();
    }

    private static void Piece(OutBuffer file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Add(number);
        var from = file.Length;
        file.Add(name);
        file.Add(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(file.Span[from..]));
        file.Add(number);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = 0xffffffffu;
        foreach (var one in bytes)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320u);
        }

        return ~crc;
    }
}
