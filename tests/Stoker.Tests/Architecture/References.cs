using System.Reflection;
using System.Reflection.Emit;

namespace Stoker.Tests.Architecture;

/// <summary>Which part of the program refers to which, read from the compiled program: signatures, attributes and method bodies.</summary>
internal static class References
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> OpCodeOf = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (int)(ushort)code.Value);

    public static Assembly Program { get; } = typeof(Diagnostics.Diagnostic).Assembly;

    /// <summary>Every reference from one part to another, with the first place it was found at.</summary>
    public static IReadOnlyDictionary<(string From, string To), string> Find()
    {
        var found = new Dictionary<(string, string), string>();
        foreach (var type in Program.GetTypes())
        {
            if (PartOf(type) is not { } from) continue;
            foreach (var (target, where) in Targets(type))
            {
                if (PartOf(target) is { } to && to != from) found.TryAdd((from, to), $"{where} uses {target.Name}");
            }
        }

        return found;
    }

    /// <summary>The part a type belongs to: its folder, or the root. Null for types that are not the program's own.</summary>
    public static string? PartOf(Type type)
    {
        if (type.Assembly != Program) return null;
        while (type.DeclaringType is { } outer) type = outer;
        if (type.Namespace is null or "Stoker") return type.Name.StartsWith('<') ? null : FloorPlan.Root;
        if (!type.Namespace.StartsWith("Stoker.", StringComparison.Ordinal)) return null;
        var path = type.Namespace["Stoker.".Length..].Replace('.', '/');
        return FloorPlan.Parts.Where(part => path == part.Name || path.StartsWith(part.Name + "/", StringComparison.Ordinal))
            .MaxBy(part => part.Name.Length)?.Name ?? path.Split('/')[0];
    }

    private static IEnumerable<(Type, string)> Targets(Type type)
    {
        var name = NameOf(type);
        if (type.BaseType is { } parent) yield return (parent, name);
        foreach (var seam in type.GetInterfaces()) yield return (seam, name);
        foreach (var attribute in type.GetCustomAttributesData()) yield return (attribute.AttributeType, name);
        foreach (var field in type.GetFields(Declared))
        {
            foreach (var part in Unfold(field.FieldType)) yield return (part, $"{name}.{field.Name}");
        }

        foreach (var method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
        {
            foreach (var target in Signature(method).Concat(Body(method)).SelectMany(Unfold)) yield return (target, $"{name}.{method.Name}");
        }
    }

    private static string NameOf(Type type) => type.DeclaringType is { } outer ? NameOf(outer) : type.Name;

    private static IEnumerable<Type> Signature(MethodBase method) =>
        method.GetParameters().Select(parameter => parameter.ParameterType).Append((method as MethodInfo)?.ReturnType ?? typeof(void));

    private static IEnumerable<Type> Unfold(Type type)
    {
        yield return type.HasElementType ? type.GetElementType()! : type;
        if (!type.IsGenericType) yield break;
        foreach (var part in type.GetGenericArguments().SelectMany(Unfold)) yield return part;
    }

    private static IEnumerable<Type> Body(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body) yield break;
        foreach (var local in body.LocalVariables) yield return local.LocalType;
        foreach (var token in Tokens(body.GetILAsByteArray()!))
        {
            var member = method.Module.ResolveMember(token, method.DeclaringType?.GetGenericArguments(),
                method.IsGenericMethod ? method.GetGenericArguments() : null);
            foreach (var type in MemberTypes(member)) yield return type;
        }
    }

    private static IEnumerable<Type> MemberTypes(MemberInfo? member) => member switch
    {
        Type type => [type],
        FieldInfo field => [field.DeclaringType!, field.FieldType],
        MethodInfo method => [method.DeclaringType!, method.ReturnType, .. method.GetGenericArguments()],
        ConstructorInfo constructor => [constructor.DeclaringType!],
        _ => [],
    };

    // Steps through the instructions only to find their metadata tokens.
    private static IEnumerable<int> Tokens(byte[] il)
    {
        for (var at = 0; at < il.Length;)
        {
            var value = il[at] == 0xfe ? 0xfe00 | il[at + 1] : il[at];
            at += il[at] == 0xfe ? 2 : 1;
            var operand = OpCodeOf[value].OperandType;
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
                yield return BitConverter.ToInt32(il, at);
            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
                _ => 4,
            };
        }
    }
}
