using System.Reflection;

namespace Stoker.Gpus.Diag;

/// <summary>
/// The kernels that the program carries, as PTX. Kernels/*.cu are their sources; Kernels/*.ptx was made of them by clang 14, which a test does again. Memory and FP32 run on cards from Volta on
/// (sm_70), tensor cores with BF16 from Ampere on (sm_80). None of them was run on a GPU yet.
/// </summary>
internal static class KernelTexts
{
    public const int TensorCapability = 80;

    public static string Memory => Read("memory");

    public static string Tensor => Read("tensor");

    private static string Read(string name)
    {
        using var text = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Stoker.Gpus.Diag.Kernels.{name}.ptx") ?? throw new InvalidOperationException($"the program carries no {name}.ptx");
        using var reader = new StreamReader(text);
        return reader.ReadToEnd();
    }
}
