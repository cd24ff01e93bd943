using System.Text;

namespace Stoker.Streams.Schemas;

/// <summary>A key that is asked for: for people, and as it is looked up.</summary>
internal sealed record RequiredName(string Name, byte[] Bytes)
{
    public static RequiredName Of(string name) => new(name, Encoding.UTF8.GetBytes(name));
}
