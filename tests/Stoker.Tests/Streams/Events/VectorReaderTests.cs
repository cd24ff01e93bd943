using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Streams.Events;
using Stoker.Streams.Json;
using Xunit;

namespace Stoker.Tests.Streams.Events;

public sealed class VectorReaderTests
{
    [Fact]
    public void A_vector_comes_out_of_each_form_as_it_went_in()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var numbers = Enumerable.Range(0, 1 + random.Next(40)).Select(_ => Number(random)).ToArray();
            var base64 = Convert.ToBase64String(MemoryMarshal.AsBytes<float>(numbers));
            var half = numbers.Select(number => Half.CreateSaturating(Math.Clamp(number, -60_000, 60_000))).ToArray();
            return Read($"[{string.Join(", ", numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)))}]").SequenceEqual(numbers)
                && Read($"[{string.Join(',', numbers.Select(number => ((double)number).ToString("R", CultureInfo.InvariantCulture)))}]").SequenceEqual(numbers)
                && Read($"\"{base64}\"").SequenceEqual(numbers)
                && Read($"\"{base64.Replace("/", "\\/", StringComparison.Ordinal)}\"").SequenceEqual(numbers)
                && Read($$"""{"dtype": "float32", "data": "{{base64}}", "dim": {{numbers.Length}}}""").SequenceEqual(numbers)
                && Read($$"""{"dtype": "float16", "data": "{{Convert.ToBase64String(MemoryMarshal.AsBytes<Half>(half))}}"}""").SequenceEqual(half.Select(number => (float)number));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0.0")]
    [InlineData("0.1")]
    [InlineData("3.4028235e38")]
    [InlineData("1e-50")]
    [InlineData("9007199254740993")]
    [InlineData("0.30000001192092896")]
    [InlineData("123456789012345678901234567890")]
    [InlineData("0.000000000000000000000000000000000123")]
    [InlineData("1.7976931348623157")]
    [InlineData("2.2250738585072014e-308")]
    public void A_number_is_read_as_the_framework_reads_it(string number) =>
        Assert.Equal(BitConverter.DoubleToInt64Bits(double.Parse(number, CultureInfo.InvariantCulture)), BitConverter.DoubleToInt64Bits(VectorReader.ToDouble(Encoding.ASCII.GetBytes(number))));

    [Fact]
    public void Random_numbers_are_read_as_the_framework_reads_them()
    {
        var random = new Random(5);
        for (var i = 0; i < 50_000; i++)
        {
            var text = $"{(random.Next(2) == 0 ? "-" : "")}{random.Next(10)}.{random.NextInt64(0, (long)Math.Pow(10, 1 + random.Next(18)))}{(random.Next(5) == 0 ? $"e{random.Next(-40, 40)}" : "")}";
            Assert.Equal(double.Parse(text, CultureInfo.InvariantCulture), VectorReader.ToDouble(Encoding.ASCII.GetBytes(text)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(31)]
    [InlineData(768)]
    public void A_number_that_is_not_finite_is_found_wherever_it_stands(int count)
    {
        for (var at = 0; at < count; at++)
        {
            var numbers = new float[count];
            numbers[at] = at % 3 == 0 ? float.NaN : at % 3 == 1 ? float.PositiveInfinity : float.NegativeInfinity;
            var mistakes = Check($"\"{Convert.ToBase64String(MemoryMarshal.AsBytes<float>(numbers))}\"", new VectorSpec());
            Assert.Equal($"$[{at}]", Assert.Single(mistakes.Kept).Path);
        }
    }

    [Theory]
    [InlineData("[1, 2, 3]", 3, true)]
    [InlineData("[1, 2]", 3, false)]
    [InlineData("\"AACAPwAAAMAAAAA+\"", 3, true)]
    [InlineData("\"AACAPw==\"", 3, false)]
    public void A_declared_dimension_is_held(string vector, int dimension, bool isRight)
    {
        var mistakes = Check(vector, new VectorSpec { Dimension = dimension });
        Assert.Equal(isRight, mistakes.Count == 0);
        Assert.All(mistakes.Kept, mistake => Assert.Equal(MistakeCodes.Dimension, mistake.Code));
    }

    [Fact]
    public void A_vector_has_an_end() => Assert.Equal("$ dimension", string.Join(',', Check("[1, 2, 3]", new VectorSpec { MaxDimension = 2 }).Kept.Select(mistake => $"{mistake.Path} {mistake.Code}")));

    private static float[] Read(string json)
    {
        var scanner = new JsonScanner();
        Assert.True(scanner.Scan(Encoding.UTF8.GetBytes(json)).IsNone);
        var mistakes = new MistakeList();
        var dimension = VectorReader.Check(scanner.Tape, 0, 0, new VectorSpec(), mistakes);
        Assert.Empty(mistakes.Kept);
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(dimension * 4, VectorReader.Write(scanner.Tape, 0, output));
        return MemoryMarshal.Cast<byte, float>(output.WrittenSpan).ToArray();
    }

    private static MistakeList Check(string json, VectorSpec spec)
    {
        var scanner = new JsonScanner();
        Assert.True(scanner.Scan(Encoding.UTF8.GetBytes(json)).IsNone);
        var mistakes = new MistakeList();
        var dimension = VectorReader.Check(scanner.Tape, 0, 0, spec, mistakes);
        Assert.Equal(mistakes.Count > 0, dimension == 0);
        return mistakes;
    }

    private static float Number(Random random)
    {
        var number = random.Next(4) switch { 0 => (float)random.NextDouble(), 1 => BitConverter.Int32BitsToSingle(random.Next()), 2 => random.Next(-9, 9), _ => (float)(random.NextDouble() * 2 - 1) };
        return float.IsFinite(number) ? number : 0;
    }
}
