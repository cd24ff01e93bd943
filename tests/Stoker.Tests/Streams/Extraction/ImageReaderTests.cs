using System.Runtime.CompilerServices;
using Stoker.Streams.Extraction.Images;
using Xunit;

namespace Stoker.Tests.Streams.Extraction;

/// <summary>Images by libjpeg's and netpbm's own tools, all of one picture of 93 by 61 pixels: red, green, blue, and a ramp from black to white, a quarter each.</summary>
public sealed class ImageReaderTests
{
    private static readonly string Folder = Here();

    [Theory]
    [InlineData("rgb.png", "png", 93)]
    [InlineData("palette.png", "png", 93)]
    [InlineData("interlaced.png", "png", 93)]
    [InlineData("deep.png", "png", 93)]
    [InlineData("baseline-444.jpg", "jpeg", 12)]
    [InlineData("restarts-420.jpg", "jpeg", 12)]
    [InlineData("optimised-422.jpg", "jpeg", 12)]
    [InlineData("progressive.jpg", "jpeg", 12)]
    public void An_image_has_its_size_and_its_colours_where_they_belong(string file, string format, int width)
    {
        var image = Read(file);
        Assert.Equal((format, 93, 61, null), (image.Format, image.Width, image.Height, image.Why));
        Assert.Equal((width, width == 93 ? 61 : 8), (image.Pixels!.Width, image.Pixels.Height));
        var grid = image.Pixels.Grid(2, 2);
        // The quarters do not end where the image's halves do, and JPEG's colours are not exact.
        const float tolerance = 0.05f;
        Near([0.784f, 0.118f, 0.118f, 0.118f, 0.706f, 0.157f, 0.078f, 0.157f, 0.784f, 0.5f, 0.5f, 0.5f], grid, tolerance);
    }

    [Theory]
    [InlineData("grey.png")]
    [InlineData("grey.jpg")]
    public void A_grey_image_is_as_light_as_its_colours(string file)
    {
        var grid = Read(file).Pixels!.Grid(2, 2);
        Near([0.317f, 0.317f, 0.317f, 0.468f, 0.468f, 0.468f, 0.205f, 0.205f, 0.205f, 0.5f, 0.5f, 0.5f], grid, 0.05f);
    }

    [Fact]
    public void One_bit_is_black_or_white()
    {
        var raster = Read("bits.png").Pixels!;
        Assert.All(raster.Pixels, value => Assert.True(value is 0 or 255));
        Assert.Contains((byte)255, raster.Pixels);
        Assert.Contains((byte)0, raster.Pixels);
    }

    [Fact]
    public void What_is_not_decoded_says_why()
    {
        Assert.Contains("arithmetic codes", Read("arithmetic.jpg").Why, StringComparison.Ordinal);
        Assert.Equal("gif is not decoded; PNG and JPEG are", ImageReader.Read("GIF89a..........."u8.ToArray())!.Why);
        Assert.Null(ImageReader.Read("no image"u8.ToArray()));
    }

    [Fact]
    public void A_size_that_nobody_has_memory_for_is_told_and_not_decoded()
    {
        var bytes = File.ReadAllBytes(PathOf("rgb.png"));
        bytes[16] = 0x7f;
        Assert.Contains("more than 100,000,000 pixels", ImageReader.Read(bytes)!.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rgb.png")]
    [InlineData("interlaced.png")]
    [InlineData("palette.png")]
    [InlineData("baseline-444.jpg")]
    [InlineData("restarts-420.jpg")]
    public void Whatever_is_broken_is_an_answer(string file)
    {
        var whole = File.ReadAllBytes(PathOf(file));
        for (var length = 0; length < whole.Length; length++) _ = ImageReader.Read(whole.AsMemory(0, length));
        Assert.NotNull(ImageReader.Read(whole.AsMemory(0, whole.Length / 3))!.Why);
        for (var at = 0; at < whole.Length; at++)
        {
            foreach (var bit in new[] { 1, 16, 128, 255 })
            {
                var broken = (byte[])whole.Clone();
                broken[at] ^= (byte)bit;
                _ = ImageReader.Read(broken);
            }
        }
    }

    internal static string PathOf(string file) => Path.Combine(Folder, file);

    internal static ImageContent Read(string file) => ImageReader.Read(File.ReadAllBytes(PathOf(file)))!;

    private static string Here([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "images");

    private static void Near(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{i}: {actual[i]} instead of {expected[i]}\n{string.Join(' ', actual)}");
    }
}
