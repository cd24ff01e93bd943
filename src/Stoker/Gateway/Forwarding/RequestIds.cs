using System.Runtime.InteropServices;
using Stoker.Gateway.Ledger;

namespace Stoker.Gateway.Forwarding;

/// <summary>Ids of requests: what this loop drew when it began, and a count. Unique, short, and cheap to make.</summary>
internal sealed class RequestIds
{
    private readonly ulong _loop;
    private uint _count;

    public RequestIds() => System.Security.Cryptography.RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref _loop)));

    public RequestId Next() => new(_loop, _count++);
}
