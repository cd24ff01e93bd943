using Stoker.StandIns;

// Before anything else is loaded: a rehearsal starts dozens of these at once.
if (args is [StandInsModule.Verb, ..]) return StandIn.Run(args);

Console.WriteLine("stoker");
return 0;
