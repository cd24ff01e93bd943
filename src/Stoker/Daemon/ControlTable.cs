using Stoker.Daemon.Protocol;

namespace Stoker.Daemon;

/// <summary>Which endpoint answers a request: by its method, and its path, of which <c>{name}</c> stands for any one part.</summary>
internal sealed class ControlTable
{
    private const string Name = "{name}";

    private readonly List<(string Method, string[] Path, Func<ControlExchange, Task> Answer)> _routes = [];

    public void Get(string path, Func<ControlExchange, Task> answer) => _routes.Add(("GET", path.Split('/'), answer));

    public void Post(string path, Func<ControlExchange, Task> answer) => _routes.Add(("POST", path.Split('/'), answer));

    public Task AnswerAsync(ControlExchange exchange)
    {
        var path = exchange.Path.Split('/');
        foreach (var route in _routes)
        {
            if (route.Method != exchange.Method || !Fits(route.Path, path)) continue;
            if (Array.IndexOf(route.Path, Name) is var at and > 0) exchange.Name = Uri.UnescapeDataString(path[at]);
            return route.Answer(exchange);
        }

        return exchange.AnswerAsync(404, ErrorCodes.UnknownPath, $"there is no `{exchange.Path}` here", "docs/control-api.md lists the paths");
    }

    private static bool Fits(string[] route, string[] path) =>
        route.Length == path.Length && route.Zip(path).All(pair => pair.First == pair.Second || (pair.First == Name && pair.Second.Length > 0));
}
