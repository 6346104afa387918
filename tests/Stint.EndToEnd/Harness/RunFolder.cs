using System.Globalization;

namespace Stint.EndToEnd.Harness;

/// <summary>The folder that everything started by this run keeps its files in.</summary>
/// <remarks>
/// <c>./test</c> names it, and stops what lies there when a run breaks off. Without <c>./test</c> this run makes one.
/// </remarks>
public static class RunFolder
{
    private static int s_last;

    static RunFolder()
    {
        if (Environment.GetEnvironmentVariable("STINT_TEST_RUN") is { Length: > 0 } given)
        {
            Path = given;
            return;
        }

        Path = Directory.CreateTempSubdirectory("stint-test.").FullName;
        IsOwn = true;
        // NB. PostgreSQL runs as another user when the tests run as root, and must be able to enter.
        File.SetUnixFileMode(Path, File.GetUnixFileMode(Path)
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    /// <summary>Its path.</summary>
    public static string Path { get; }

    /// <summary>Whether this run made it and has to remove it.</summary>
    public static bool IsOwn { get; }

    /// <summary>A number that no other caller of this run gets.</summary>
    public static int Next() => Interlocked.Increment(ref s_last);

    /// <summary>A new folder of its own.</summary>
    public static string Make(string name)
    {
        var path = System.IO.Path.Combine(Path, string.Create(CultureInfo.InvariantCulture, $"{name}-{Next()}"));
        return Directory.CreateDirectory(path).FullName;
    }

    /// <summary>Notes a started process, so that <c>./test</c> can end it when this run cannot.</summary>
    /// <returns>The file with the note; whoever ends the process deletes it.</returns>
    public static string Note(int processId)
    {
        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
        // The second field may hold blanks and brackets, so counting begins behind the last bracket (proc(5)).
        var started = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        var note = System.IO.Path.Combine(Path, string.Create(CultureInfo.InvariantCulture, $"{processId}.started"));
        File.WriteAllText(note, string.Create(CultureInfo.InvariantCulture, $"{processId} {started}\n"));
        return note;
    }
}
