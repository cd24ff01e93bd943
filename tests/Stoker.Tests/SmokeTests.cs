namespace Stoker.Tests;
public sealed class SmokeTests { [Xunit.Fact] public void A() => Xunit.Assert.Equal(2, 1 + 1); }
