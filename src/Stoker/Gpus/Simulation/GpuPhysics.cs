using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Simulation;

/// <summary>What changes of a card by itself: heat, power, clocks and why they are low.</summary>
/// <param name="Energy">In joules since the beginning.</param>
/// <param name="Share">Of the highest clock.</param>
internal readonly record struct GpuHeat(double Celsius, double Watts, double Energy, double Share, long Throttle);

/// <summary>
/// A card as a lump that heats and cools: power follows load and clock, warmth follows power with a time of its own, and the card slows down when it is too hot or asks for more than
/// it may have. Pure.
/// </summary>
internal static class GpuPhysics
{
    public const double Ambient = 24;

    /// <summary>Degrees above ambient at full power, with cooling as it should be.</summary>
    private const double FullRise = 52;

    /// <summary>Seconds in which a card comes two thirds of the way to its new warmth.</summary>
    private const double Inertia = 45;

    private const double LowestShare = 0.25, PerDegree = 0.002, Fastest = 0.03, CapStep = 0.02;

    public static GpuHeat Start(CardFigures card) => new(Ambient + (FullRise * card.Idle / card.Watts), card.Idle, 0, 1, ThrottleReasons.Idle);

    /// <param name="load">0 to 1.</param>
    /// <param name="limit">Watts that it may take.</param>
    /// <param name="cooling">1 is as it should be; 0.3 is a fan that has failed.</param>
    public static GpuHeat Step(GpuHeat heat, CardFigures card, double load, double limit, double cooling, double seconds)
    {
        // A step too long for the arithmetic is several.
        while (seconds > 1)
        {
            heat = Step(heat, card, load, limit, cooling, 1);
            seconds -= 1;
        }

        // Dynamic power goes with frequency and the square of voltage, which follows it: between the second and the third power.
        var wanted = card.Idle + ((card.Watts * 1.05 - card.Idle) * load);
        var drawn = card.Idle + ((wanted - card.Idle) * Math.Pow(heat.Share, 2.4));
        var isCapped = drawn > limit;
        var settled = Ambient + (FullRise / Math.Max(0.05, cooling) * drawn / card.Watts);
        // Where it is going, not where it is: a controller that waits for the heat swings about its limit.
        var coming = heat.Celsius + ((settled - heat.Celsius) / 3);
        var isHot = coming >= card.Hot - 1.5;
        var change = Math.Clamp((card.Hot - coming) * PerDegree, -Fastest, Fastest);
        if (drawn > limit * 0.97) change = Math.Min(change, isCapped ? -CapStep : 0);
        var share = heat.Share + (change * seconds);
        var celsius = heat.Celsius + ((settled - heat.Celsius) * (1 - Math.Exp(-seconds / Inertia)));
        var reasons = load <= 0 ? ThrottleReasons.Idle : (isCapped || (share < 1 && !isHot && drawn > limit * 0.9) ? ThrottleReasons.PowerCap : 0) | (isHot ? ThrottleReasons.SwThermal : 0);
        if (card.SlowdownCelsius is { } hard && celsius >= hard) reasons |= ThrottleReasons.HwThermal | ThrottleReasons.HwSlowdown;
        var watts = Math.Min(drawn, limit);
        return new GpuHeat(celsius, watts, heat.Energy + (watts * seconds), Math.Clamp(share, LowestShare, 1), reasons);
    }
}
