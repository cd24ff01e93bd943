using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using Stoker.Models.Simulator.Engine;
using Stoker.Models.Simulator.Faults;

namespace Stoker.Models.Simulator.Wire;

/// <summary>
/// Server-sent events on their way to one client, with the faults that were asked for. Events gather until the flush that comes before a
/// wait, except where a fault is a matter of single writes. Once a method says false, nothing more is to be sent.
/// </summary>
internal sealed class EventStream(Exchange exchange, Ticker ticker, FaultSpec? fault, Func<byte[]> error) : IDisposable
{
    private const int FlushAt = 16 * 1024;

    private readonly FaultSpec? _touch = fault is { TouchesEvents: true } ? fault : null;
    private MemoryStream? _zipped;
    private GZipStream? _gzip;
    private bool _hasBroken;

    /// <summary>Events sent so far.</summary>
    public int Events { get; private set; }

    /// <summary>A fault has ended it, not the client.</summary>
    public bool EndedByFault { get; private set; }

    /// <summary>Where the next event's data is composed.</summary>
    public OutBuffer Data => exchange.Event;

    public async ValueTask<bool> BeginAsync(string contentType = "text/event-stream; charset=utf-8")
    {
        exchange.Watch();
        if (fault?.CloseAfter == true || fault?.CloseSilently == true) exchange.CloseAfter();
        var headers = "cache-control: no-cache\r\n" + (fault is null ? "" : AnswerBody.Headers(fault));
        exchange.Begin(200, contentType, fault?.CloseDelimited == true ? Framing.Close : Framing.Chunked, headers, announceClose: fault?.CloseSilently != true);
        if (fault is not null && !await AnswerBody.SendHeadAsync(exchange, ticker, fault)) return false;
        if (fault?.Gzip == true) _gzip = new GZipStream(_zipped = new MemoryStream(), CompressionLevel.Fastest, leaveOpen: true);
        return _touch is null || await MeetAsync();
    }

    /// <summary>Sends what was composed as one event.</summary>
    /// <param name="name">The line <c>event:</c>; null: none.</param>
    public async ValueTask<bool> AddAsync(string? name = null)
    {
        if (exchange.Pause.IsOver) return false;
        if (_touch is null)
        {
            AddPlain(name);
            return exchange.Output.Length < FlushAt || await FlushAsync();
        }

        await SendTouchedAsync(Framed(name, _touch), _touch);
        Data.Clear();
        return await MeetAsync();
    }

    public async ValueTask<bool> FlushAsync()
    {
        if (exchange.Pause.IsOver || EndedByFault) return false;
        if (exchange.Output.Length > 0) await exchange.FlushRawAsync();
        return true;
    }

    /// <summary>The end.</summary>
    /// <param name="isMarked">With <c>[DONE]</c>.</param>
    public async ValueTask EndAsync(bool isMarked)
    {
        if (EndedByFault || exchange.Pause.IsOver) return;
        if (isMarked && fault?.NoDone != true)
        {
            Data.Clear();
            Data.Add("[DONE]"u8);
            if (_touch is null) AddPlain(null);
            else await SendWholeAsync(_touch with { SeveralDataLines = false, SplitCharacters = false });
            Data.Clear();
        }

        if (_gzip is not null)
        {
            await _gzip.DisposeAsync();
            AddZipped();
        }

        if (fault?.HoldOpen == true)
        {
            await exchange.FlushRawAsync();
            await Ticker.ForEver(exchange.Pause);
            return;
        }

        await exchange.EndAsync();
    }

    public void Dispose()
    {
        _gzip?.Dispose();
        _zipped?.Dispose();
    }

    private void AddPlain(string? name)
    {
        Data.Add("\n\n"u8);
        exchange.AddEvent(name is null ? "data: "u8 : Encoding.UTF8.GetBytes($"event: {name}\ndata: "), Data.Span);
        Data.Clear();
        Events++;
    }

    private byte[] Framed(string? name, FaultSpec how)
    {
        var end = how.LineEnds switch { LineEnds.Both => "\r\n", LineEnds.CarriageReturn => "\r", _ => "\n" };
        var prefix = how.NoSpace ? "data:" : "data: ";
        var data = Encoding.UTF8.GetString(Data.Span);
        // JSON may have a line break after its first brace.
        if (how.SeveralDataLines && data.Length > 1 && data[0] == '{') data = $"{{{end}{prefix}{data[1..]}";
        var comment = how.Comments ? $": ping{end}" : "";
        return Encoding.UTF8.GetBytes($"{comment}{(name is null ? "" : $"event: {name}{end}")}{prefix}{data}{end}{end}");
    }

    private ValueTask SendWholeAsync(FaultSpec how) => SendTouchedAsync(Framed(null, how), how);

    private async ValueTask SendTouchedAsync(byte[] bytes, FaultSpec how)
    {
        Events++;
        if (_gzip is not null)
        {
            _gzip.Write(bytes);
            _gzip.Flush();
            AddZipped();
        }
        else if (!how.SplitCharacters)
        {
            exchange.Add(bytes);
        }
        else
        {
            var from = 0;
            for (var at = 1; at < bytes.Length; at++)
            {
                // Before the second byte of a character.
                if ((bytes[at] & 0xC0) != 0x80 || (bytes[at - 1] & 0xC0) != 0xC0) continue;
                exchange.Add(bytes.AsSpan(from..at));
                await FlushApartAsync();
                from = at;
            }

            if (from == 0)
            {
                from = bytes.Length / 2;
                exchange.Add(bytes.AsSpan(..from));
                await FlushApartAsync();
            }

            exchange.Add(bytes.AsSpan(from));
        }

        await exchange.FlushRawAsync();
    }

    /// <summary>With a moment before what follows, so that it is a packet and a read of its own.</summary>
    private async ValueTask FlushApartAsync()
    {
        await exchange.FlushRawAsync();
        await ticker.Until(exchange.Pause, ticker.Now + ticker.Ticks(TimeSpan.FromMilliseconds(2)));
    }

    private void AddZipped()
    {
        exchange.Add(_zipped!.GetBuffer().AsSpan(0, (int)_zipped.Length));
        _zipped.SetLength(0);
    }

    /// <summary>What is to happen after as many events as there were.</summary>
    private async ValueTask<bool> MeetAsync()
    {
        if (!_hasBroken && _touch!.MalformedAfter == Events)
        {
            _hasBroken = true;
            var events = Events;
            Data.Clear();
            Data.Add("{\"id\": \"chatcmpl-cut\", \"choices\": [{\"delta\": {\"con"u8);
            await SendTouchedAsync(Framed(null, _touch with { SeveralDataLines = false }), _touch);
            Events = events;
            Data.Clear();
        }

        if (_touch!.ErrorAfter <= Events) return await BreakAsync(error());
        if (_touch.EndAfter <= Events) return await BreakAsync(null);
        if (_touch.ResetAfter <= Events)
        {
            EndedByFault = true;
            await exchange.FlushRawAsync();
            exchange.Reset();
            return false;
        }

        if (_touch.StallAfter > Events) return true;
        if (_touch.StallAfter is null) return true;
        await exchange.FlushRawAsync();
        await Ticker.ForEver(exchange.Pause);
        return false;
    }

    private async ValueTask<bool> BreakAsync(byte[]? last)
    {
        EndedByFault = true;
        if (last is not null)
        {
            Data.Clear();
            Data.Add(last);
            await SendTouchedAsync(Framed(null, _touch!), _touch!);
            Data.Clear();
        }

        await exchange.EndAsync();
        return false;
    }
}
