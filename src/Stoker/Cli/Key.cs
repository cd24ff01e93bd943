using System.Text;

namespace Stoker.Cli;

internal enum KeyKind
{
    Character,
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Interrupt,
}

/// <param name="Character">For <see cref="KeyKind.Character"/>; else empty.</param>
internal readonly record struct Key(KeyKind Kind, Rune Character = default)
{
    public bool Is(char character) => Kind == KeyKind.Character && Character.Value == character;
}
