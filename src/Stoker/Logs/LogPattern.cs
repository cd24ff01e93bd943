using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoker.Logs;

/// <summary>Looks for a pattern in a message: bytes that are read as UTF-8, with a replacement character for what is none.</summary>
internal static class LogPattern
{
    public static bool IsMatch(Regex pattern, ReadOnlySpan<byte> message)
    {
        char[]? rented = message.Length > 512 ? ArrayPool<char>.Shared.Rent(Encoding.UTF8.GetMaxCharCount(message.Length)) : null;
        try
        {
            Span<char> text = rented ?? stackalloc char[Encoding.UTF8.GetMaxCharCount(512)];
            return pattern.IsMatch(text[..Encoding.UTF8.GetChars(message, text)]);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented);
            }
        }
    }
}
