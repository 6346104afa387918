using System.Globalization;

namespace Stint.EndToEnd.Harness;

/// <summary>The wall clock of a program that is started under libfaketime, in this test's hand. The clock that only goes forward stays the machine's, as when a clock is really set.</summary>
/// <remarks>
/// NB. Without the two last variables libfaketime moves the other clock along, and every wait of the runtime with it:
/// no machine does that. The second makes it reckon waits on that clock as glibc of today does.
/// </remarks>
public sealed class FakeClock
{
    private readonly string _file = Path.Combine(RunFolder.Make("clock"), "offset");

    public FakeClock() => Set("+0");

    /// <summary>Variables of the program.</summary>
    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["LD_PRELOAD"] = Library,
        ["FAKETIME_TIMESTAMP_FILE"] = _file,
        ["FAKETIME_NO_CACHE"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
        ["TZ"] = "UTC",
    };

    private static string Library => Directory.GetDirectories("/usr/lib")
        .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1"))
        .FirstOrDefault(File.Exists) ?? throw new FileNotFoundException("libfaketime is not there; eng/servers installs it.");

    /// <summary>Sets the clock so many seconds off.</summary>
    public void Off(double seconds) => Set(seconds.ToString("+0.000;-0.000", CultureInfo.InvariantCulture));

    /// <summary>Stops the clock where it is.</summary>
    public void Freeze() => Set(TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));

    // Renamed into place: it is read at every look at the clock.
    private void Set(string text)
    {
        File.WriteAllText(_file + ".new", text + "\n");
        File.Move(_file + ".new", _file, overwrite: true);
    }
}
