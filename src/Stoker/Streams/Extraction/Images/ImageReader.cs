namespace Stoker.Streams.Extraction.Images;

/// <summary>Tells what an image file is by its first bytes, and decodes PNG and JPEG. Pure.</summary>
internal static class ImageReader
{
    /// <summary>More is not decoded: a small file can say that it is any size.</summary>
    public const long MostPixels = 100_000_000;

    public static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"];

    /// <summary>Null: it is no image that is known.</summary>
    public static ImageContent? Read(ReadOnlyMemory<byte> file)
    {
        var bytes = file.Span;
        if (bytes.StartsWith(PngReader.Signature)) return Decoded("png", file, PngReader.Read);
        if (bytes.Length > 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff) return Decoded("jpeg", file, static bytes => new JpegReader(bytes).Read());
        var format = bytes switch
        {
            _ when bytes.StartsWith("GIF8"u8) => "gif",
            _ when bytes.StartsWith("RIFF"u8) && bytes.Length > 12 && bytes[8..].StartsWith("WEBP"u8) => "webp",
            _ when bytes.StartsWith("BM"u8) => "bmp",
            _ when bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8) => "tiff",
            _ => null,
        };
        return format is null ? null : new ImageContent(format, null, null, null, $"{format} is not decoded; PNG and JPEG are");
    }

    private static ImageContent Decoded(string format, ReadOnlyMemory<byte> file, Func<ReadOnlyMemory<byte>, ImageContent> read)
    {
        try
        {
            return read(file);
        }
        catch (BrokenImageException broken)
        {
            return new ImageContent(format, null, null, null, broken.Message);
        }
    }
}
