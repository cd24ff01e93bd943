using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>The terminal that the program was started on.</summary>
internal static unsafe partial class TerminalDevice
{
    public const int Input = 0, Output = 1, Error = 2;

    /// <summary>TIOCGWINSZ, the same number on x64 and arm64: rows, columns, and two sizes in pixels, 16 bits each.</summary>
    private const nuint GetWindowSize = 0x5413;

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATerminal(int descriptor);

    public static bool IsTerminal(int descriptor) => IsATerminal(descriptor) == 1;

    /// <summary>Columns and rows; null where no standard descriptor is a terminal that knows.</summary>
    public static (int Columns, int Rows)? Size
    {
        get
        {
            var size = stackalloc ushort[4];
            foreach (var descriptor in (ReadOnlySpan<int>)[Output, Error, Input])
            {
                if (Libc.DeviceControl(descriptor, GetWindowSize, size) == 0 && size[0] > 0 && size[1] > 0) return (size[1], size[0]);
            }

            return null;
        }
    }
}
