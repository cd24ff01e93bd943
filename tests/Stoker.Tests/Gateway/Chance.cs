namespace Stoker.Tests.Gateway;

/// <summary>Bytes that are the same in every run, in place of chance.</summary>
internal sealed class Chance(int seed = 1)
{
    private readonly System.Random _random = new(seed);

    public void Fill(Span<byte> bytes) => _random.NextBytes(bytes);
}
