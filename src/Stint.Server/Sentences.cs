using System.Globalization;
using Stint.Core;
using Stint.Core.Grants;

namespace Stint.Server;

/// <summary>Times and endings in words, for people.</summary>
internal static class Sentences
{
    /// <summary><c>30 min</c>, <c>1 h 30 min</c>, <c>45 s</c>.</summary>
    public static string Span(TimeSpan span)
    {
        var parts = new List<string>();
        Add((long)span.TotalHours, "h");
        Add(span.Minutes, "min");
        Add(span.Seconds, "s");
        return parts.Count == 0 ? "0 s" : string.Join(' ', parts);

        void Add(long number, string unit)
        {
            if (number > 0)
            {
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{number} {unit}"));
            }
        }
    }

    /// <summary><c>14:05:00 UTC</c>.</summary>
    public static string Time(DateTimeOffset time) => time.ToString("HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary><c>2026-12-24 18:00 UTC</c>.</summary>
    public static string Day(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>What a session is told when its grant ended.</summary>
    public static string Ended(Grant grant)
    {
        var at = Time(grant.EndedAt ?? grant.NotAfter ?? default);
        return grant.End switch
        {
            EndReason.Expired or null => $"Access to {grant.Role} ended at {Time(grant.NotAfter!.Value)}: its {Span(grant.For)} were over.",
            EndReason.Returned => $"Access to {grant.Role} ended at {at}: its holder handed it back.",
            EndReason.Revoked => $"Access to {grant.Role} ended at {at}: it was revoked ({grant.EndNote}).",
            EndReason.Offboarded => $"Access to {grant.Role} ended at {at}: its holder left.",
            EndReason.Lapsed => $"Access to {grant.Role} ended at {at}: it was not begun in time.",
            EndReason.Failed => $"Access to {grant.Role} ended at {at}: the target could not be changed ({grant.EndNote}).",
            EndReason.TargetGone => $"Access to {grant.Role} ended at {at}: the system is gone ({grant.EndNote}).",
            _ => throw new InvalidOperationException($"{grant.End} is not a reason."),
        };
    }

    /// <summary>How to go on.</summary>
    public static string AskAgain(RoleRef role) => $"Ask again: stint request {role}";
}
