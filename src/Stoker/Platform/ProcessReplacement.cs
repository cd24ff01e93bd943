using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>execve(2) of the running program.</summary>
internal static unsafe class ProcessReplacement
{
    /// <summary>Does not return on success; else why not. Files are closed on exec, children and the pid stay.</summary>
    public static string Execute(string executable, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var argv = Strings([executable, .. arguments]);
        var envp = Strings([.. environment.Select(pair => $"{pair.Key}={pair.Value}")]);
        _ = Libc.Execute(executable, argv, envp);
        return Errno.Text(Marshal.GetLastPInvokeError());
    }

    /// <summary>Never freed: the next moment the whole memory is another program's.</summary>
    private static byte** Strings(IReadOnlyList<string> texts)
    {
        var array = (byte**)NativeMemory.Alloc((nuint)texts.Count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < texts.Count; i++) array[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        array[texts.Count] = null;
        return array;
    }
}
