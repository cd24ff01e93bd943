Console.WriteLine("stoker");
return 0;
