using System.IO.Compression;
using System.Text;
using Stoker.Models.Simulator.Engine;
using Stoker.Models.Simulator.Faults;

namespace Stoker.Models.Simulator.Wire;

/// <summary>A whole answer, sent with what is wrong with it.</summary>
internal static class AnswerBody
{
    private const int HeadPieces = 8;

    /// <exception cref="System.Net.Sockets.SocketException">The client has left.</exception>
    public static async ValueTask SendAsync(Exchange exchange, Ticker ticker, int status, string contentType, ReadOnlyMemory<byte> body, FaultSpec? fault)
    {
        if (fault is null)
        {
            await exchange.AnswerAsync(status, contentType, body);
            return;
        }

        var headers = Headers(fault);
        if (fault.Gzip) body = Zipped(body);
        if (fault.CloseAfter || fault.CloseSilently) exchange.CloseAfter();
        exchange.Begin(status, contentType, fault.CloseDelimited ? Framing.Close : Framing.Length, headers, body.Length, !fault.CloseSilently);
        await SendHeadAsync(exchange, ticker, fault);
        exchange.Output.Add(fault.CutsBody ? body.Span[..(body.Length / 2)] : body.Span);
        if (!fault.CutsBody)
        {
            await exchange.EndAsync();
            return;
        }

        await exchange.FlushRawAsync();
        exchange.Watch();
        if (fault.StallAfter is not null) await Ticker.ForEver(exchange.Pause);
        else if (fault.ResetAfter is not null) exchange.Reset();
        exchange.CloseAfter();
    }

    /// <summary>Sends the head that is in the output, slowly where that is asked for.</summary>
    /// <returns>False: the client has left.</returns>
    public static async ValueTask<bool> SendHeadAsync(Exchange exchange, Ticker ticker, FaultSpec fault)
    {
        if (fault.SlowHeaders == TimeSpan.Zero)
        {
            if (fault.CutsBody) await exchange.FlushHeadAsync();
            return true;
        }

        var head = exchange.Output.Span.ToArray();
        exchange.Watch();
        var moment = ticker.Now;
        for (var piece = 0; piece < HeadPieces; piece++)
        {
            exchange.Output.Clear();
            exchange.Output.Add(head.AsSpan((head.Length * piece / HeadPieces)..(head.Length * (piece + 1) / HeadPieces)));
            await exchange.FlushRawAsync();
            moment += ticker.Ticks(fault.SlowHeaders / HeadPieces);
            if (!await ticker.Until(exchange.Pause, moment)) return false;
        }

        return true;
    }

    public static string Headers(FaultSpec fault)
    {
        var headers = new StringBuilder();
        if (fault.RetryAfter is { } after) headers.Append("retry-after: ").Append(after).Append("\r\n");
        if (fault.Gzip) headers.Append("content-encoding: gzip\r\n");
        return headers.ToString();
    }

    private static byte[] Zipped(ReadOnlyMemory<byte> body)
    {
        var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest)) gzip.Write(body.Span);
        return zipped.ToArray();
    }
}
