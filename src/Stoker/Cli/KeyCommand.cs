using System.CommandLine;
using Stoker.Diagnostics;
using Stoker.Gateway;
using Stoker.Keys;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>Keys are made and revoked in the database itself, so that it works with and without a daemon or a gateway; a gateway that runs notices.</summary>
internal static class KeyCommand
{
    private static readonly ExitCode[] Codes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused];

    private static readonly IReadOnlyList<TableColumn> Columns =
    [
        new("NAME", Most: 32),
        new("ID", Sacrifice: 1),
        new("STATE"),
        new("USED", Right: true, Sacrifice: 3),
        new("EXPIRES", Right: true, Sacrifice: 2),
        new("SCOPES", Sacrifice: 4),
        new("MODELS", Sacrifice: 5, Most: 32),
        new("LIMITS"),
    ];

    public static Verb Create() => new Verb("key", "keys for the gateway and the streams: who may ask models or send events, and how much")
    {
        Example = "stoker key create ci --expires 30d --rpm 60",
        ExitCodes = Codes,
    }.With(CreateKey(), List(), Revoke(), Rotate());

    private static Verb CreateKey()
    {
        var name = new Argument<string>("KEY") { Arity = ArgumentArity.ExactlyOne, Description = "what people call it: letters, digits, `.`, `_` and `-`" };
        var expires = Parameters.Duration("--expires", "how long it is taken, as in 30d (default: for ever)");
        var terms = new KeyTermsOptions();
        return new Verb("create", "make a key; it is shown once, on stdout")
        {
            Example = "stoker key create ci --expires 30d --model 'phi-*' --rpm 60 --tpm 20k --budget-tokens 5M",
            Remarks = ["Only a hash of the key is kept. A gateway or stream that runs takes the key from when this ends."],
            ExitCodes = Codes,
        }.With([name, expires, .. terms.All]).Does(async run =>
        {
            var problem = terms.Problem(run) ?? NameProblem(run.Get(name)!)
                ?? (run.Duration(expires) is { } span && (span <= TimeSpan.Zero || span > TimeSpan.FromDays(36_525)) ? "`--expires` is from a moment to a hundred years" : null);
            if (problem is null) return await WithAsync(run, store => CreateKey(run, store, run.Get(name)!, terms.Read(run), run.Duration(expires)));
            run.Report.Error(problem, "`stoker key create --help` shows how it is used");
            return ExitCode.Usage;
        });
    }

    private static Verb List()
    {
        var all = Parameters.Flag("--all", "revoked ones too", "-a");
        return new Verb("list", "show the keys, what they may do and when they were used last")
        {
            Example = "stoker key list --all",
            ExitCodes = Codes,
        }.With(all).Does(run =>
        {
            if (run.State is not { } state) return ExitCode.EstateIsWrong;
            var keys = new List<KeyRecord>();
            if (Files.Exists(state.GatewayDatabase))
            {
                using var store = KeyStore.Open(state.GatewayDatabase);
                keys.AddRange(store.List().Where(key => key.Revoked is null || run.Get(all)));
            }

            if (run.Json) run.PrintJson(new KeyListDocument([.. keys.Select(key => KeyDocument.Of(key))]), KeyJson.Readable.KeyListDocument);
            else if (keys.Count == 0) run.Report.Say("no keys; `stoker key create NAME` makes one");
            else foreach (var line in Table.Lay(Columns, [.. keys.Select(key => Row(key, run.World.Clock.GetUtcNow()))], run.Width, run.Style)) run.Output.WriteLine(line);
            return ExitCode.Done;
        });
    }

    private static Verb Revoke()
    {
        var names = new Argument<string[]>("KEY") { Arity = ArgumentArity.OneOrMore, Description = "names or ids" };
        return new Verb("revoke", "make keys worthless, with all their secrets")
        {
            Example = "stoker key revoke ci",
            Remarks = ["A gateway that runs refuses them when this ends, a stream within a second; requests under way go on to their end."],
            ExitCodes = Codes,
        }.With(names).Does(run => WithAsync(run, store =>
        {
            var keys = new List<KeyRecord>();
            foreach (var name in run.Get(names)!)
            {
                if (Find(run, store, name, "revoke") is not { } key) return Wrong(store, name);
                keys.Add(key);
            }

            foreach (var key in keys) store.Revoke(key.Id, run.World.Clock.GetUtcNow());
            if (run.Json) run.PrintJson(new KeyListDocument([.. keys.Select(key => KeyDocument.Of(store.Find(key.Id.Value)!))]), KeyJson.Readable.KeyListDocument);
            else foreach (var key in keys) run.Report.Say(key.Revoked is null ? $"{key.Name} ({key.Id}) is revoked" : $"{key.Name} ({key.Id}) was revoked already");
            return ExitCode.Done;
        }));
    }

    private static Verb Rotate()
    {
        var name = new Argument<string>("KEY") { Arity = ArgumentArity.ExactlyOne, Description = "name or id" };
        var grace = Parameters.Duration("--grace", "how long the secret so far is still taken (default: 24h; 0: not at all)");
        return new Verb("rotate", "give a key another secret; it is shown once, on stdout")
        {
            Example = "stoker key rotate ci --grace 1h",
            Remarks = ["Its id, limits, budget and what it has used stay."],
            ExitCodes = Codes,
        }.With(name, grace).Does(run => WithAsync(run, store =>
        {
            if (Find(run, store, run.Get(name)!, "rotate") is not { } key) return Wrong(store, run.Get(name)!);
            if (key.Revoked is not null)
            {
                run.Report.Error($"key `{key.Name}` is revoked", "`stoker key create` makes another");
                return ExitCode.Refused;
            }

            var now = Now(run);
            var time = run.Duration(grace) ?? TimeSpan.FromHours(24);
            if (time > TimeSpan.FromDays(36_525)) time = TimeSpan.FromDays(36_525);
            var secret = store.Rotate(key.Id, time, now, run.World.Chance);
            if (run.Json) run.PrintJson(KeyDocument.Of(key, secret, now + time), KeyJson.Readable.KeyDocument);
            else Show(run, key, secret, time == TimeSpan.Zero ? "; the one before is not taken any more" : $"; the one before is taken until {Moments.DayAndTime(now + time, run.World.Clock)}");
            return ExitCode.Done;
        }));
    }

    private static ExitCode CreateKey(Invocation run, KeyStore store, string name, KeyTerms terms, TimeSpan? expires)
    {
        var now = Now(run);
        switch (store.Create(name, terms, now + expires, now, run.World.Chance))
        {
            case KeyCreation.Created created:
                if (run.Json) run.PrintJson(KeyDocument.Of(created.Key, created.Secret), KeyJson.Readable.KeyDocument);
                else Show(run, created.Key, created.Secret, "");
                return ExitCode.Done;
            case KeyCreation.NameTaken { By: var other }:
                run.Report.Error($"there is a key `{name}` already ({other.Id})", $"`stoker key rotate {name}` gives it another secret, `stoker key revoke {name}` frees the name");
                return ExitCode.Refused;
            case var other:
                throw new InvalidOperationException($"no such creation: {other}");
        }
    }

    private static void Show(Invocation run, KeyRecord key, string secret, string more)
    {
        run.Output.WriteLine(secret);
        run.Output.Flush();
        run.Report.Say($"{key.Name} is {key.Id}; its key is shown this once{more}");
    }

    private static TableRow Row(KeyRecord key, DateTimeOffset now)
    {
        var (state, tone) = key switch
        {
            { Revoked: not null } => ("revoked", Tone.Bad),
            { Expires: { } at } when at <= now => ("expired", Tone.Bad),
            { IsDeclared: true } => ("declared", Tone.Good),
            _ => ("valid", Tone.Good),
        };
        return new TableRow(
        [
            new(key.Name, Tone.Name),
            new(key.Id.Value, Tone.Dim),
            new(state, tone),
            new(key.LastUsed is { } used ? $"{Durations.Short(now - used)} ago" : "never"),
            new(key.Expires is not { } ends ? "never" : ends > now ? $"in {Durations.Short(ends - now)}" : $"{Durations.Short(now - ends)} ago"),
            new(string.Join(',', KeyWords.Of(key.Terms.Scopes))),
            new(key.Terms.Models.Count == 0 ? "all" : string.Join(',', key.Terms.Models)),
            new(KeyTermsOptions.InWords(key.Terms.Limits)),
        ]);
    }

    private static async Task<ExitCode> WithAsync(Invocation run, Func<KeyStore, ExitCode> work)
    {
        if (run.State is not { } state) return ExitCode.EstateIsWrong;
        Files.CreateDirectory(state.Path);
        using var store = KeyStore.Open(state.GatewayDatabase);
        var code = work(store);

        // Whoever asks with a key after the verb has ended finds it in force.
        if (!await GatewaySocket.TakeKeysAsync(state))
        {
            run.Report.Say("warning: the gateway did not answer within a second: until it goes on, it takes keys as they were before");
            run.Report.Hint("`stoker status` says how it is; it looks by itself as soon as it goes on");
        }

        return code;
    }

    /// <summary>Null when there is none or the estate file owns it, which has been said then.</summary>
    private static KeyRecord? Find(Invocation run, KeyStore store, string name, string verb)
    {
        if (store.Find(name) is not { } key)
        {
            run.Report.Error($"there is no key `{name}`", Suggestion.For(name, store.List().Select(k => k.Name)) ?? "`stoker key list` shows them");
            return null;
        }

        if (!key.IsDeclared || key.Revoked is not null) return key;
        run.Report.Error(
            $"key `{key.Name}` is declared in the estate file",
            verb == "revoke" ? "remove it from there, and `stoker up`" : "change its secret where the file says it is, and `stoker up`");
        return null;
    }

    /// <summary>As precise as it is kept.</summary>
    private static DateTimeOffset Now(Invocation run) => DateTimeOffset.FromUnixTimeMilliseconds(run.World.Clock.GetUtcNow().ToUnixTimeMilliseconds());

    private static ExitCode Wrong(KeyStore store, string name) => store.Find(name) is null ? ExitCode.Usage : ExitCode.Refused;

    private static string? NameProblem(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') && !name.StartsWith("key_", StringComparison.Ordinal)
            ? null
            : $"`{name}` cannot be the name of a key: at most 64 letters, digits, `.`, `_` and `-`, not beginning with `key_`";
}
