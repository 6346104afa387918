using System.Runtime.CompilerServices;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;

namespace Stint.Server.Store;

/// <summary>The words that stand in the database for the values of an enum. Renaming a value in code changes no stored row.</summary>
internal sealed class Words<T>
    where T : struct, Enum
{
    // Rows in the order of the values' numbers, with gaps. A dictionary for each of these enums would be compiled for
    // each at every start, which takes longer than all else that a start does in the store.
    private readonly string?[] _words;

    public Words(params (T Value, string Word)[] table)
    {
        _words = new string?[table.Max(row => Number(row.Value)) + 1];
        foreach (var (value, word) in table)
        {
            _words[Number(value)] = word;
        }
    }

    public string this[T value] => (uint)Number(value) < (uint)_words.Length && _words[Number(value)] is { } word
        ? word
        : throw new ArgumentOutOfRangeException(nameof(value), value, "No word stands for this value.");

    public string? this[T? value] => value is { } given ? this[given] : null;

    /// <exception cref="StoreRefusedException">The word means nothing to this version.</exception>
    public T Read(string word) => Find(word)
        ?? throw new StoreRefusedException($"The store holds the {typeof(T).Name} '{word}', which this version does not know.");

    /// <summary>The value of a word that somebody outside gave; null when it means nothing.</summary>
    public T? Find(string word)
    {
        var number = Array.IndexOf(_words, word);
        return number < 0 ? null : Value(number);
    }

    public T? ReadOrNull(string? word) => word is null ? null : Read(word);

    public IEnumerable<T> Values => Enumerable.Range(0, _words.Length).Where(number => _words[number] is not null).Select(Value);

    // An enum is an int unless it says otherwise, and none of these does.
    private static int Number(T value) => Unsafe.BitCast<T, int>(value);

    private static T Value(int number) => Unsafe.BitCast<int, T>(number);
}

/// <summary>Every table of words.</summary>
internal static class Words
{
    public static Words<RequestState> Request { get; } = new(
        (RequestState.Pending, "pending"),
        (RequestState.Approved, "approved"),
        (RequestState.Denied, "denied"),
        (RequestState.Cancelled, "cancelled"),
        (RequestState.Lapsed, "lapsed"));

    public static Words<Opening> Opening { get; } = new(
        (Core.Requests.Opening.ByHolder, "by_holder"),
        (Core.Requests.Opening.OnApproval, "on_approval"),
        (Core.Requests.Opening.Scheduled, "scheduled"));

    public static Words<GrantState> Grant { get; } = new(
        (GrantState.Ready, "ready"),
        (GrantState.Opening, "opening"),
        (GrantState.Open, "open"),
        (GrantState.Closing, "closing"),
        (GrantState.Closed, "closed"));

    public static Words<EndReason> End { get; } = new(
        (EndReason.Expired, "expired"),
        (EndReason.Returned, "returned"),
        (EndReason.Revoked, "revoked"),
        (EndReason.Offboarded, "offboarded"),
        (EndReason.Lapsed, "lapsed"),
        (EndReason.Failed, "failed"),
        (EndReason.TargetGone, "target_gone"));

    public static Words<AdditionCause> Addition { get; } = new(
        (AdditionCause.OnCall, "on_call"),
        (AdditionCause.Escalated, "escalated"),
        (AdditionCause.HandedOver, "handed_over"));

    public static Words<OfferState> Offer { get; } = new(
        (OfferState.Open, "open"),
        (OfferState.Replaced, "replaced"),
        (OfferState.Accepted, "accepted"));

    public static Words<SeriesState> Series { get; } = new(
        (SeriesState.Running, "running"),
        (SeriesState.Ended, "ended"));

    public static Words<SeriesEnd> SeriesEnd { get; } = new(
        (Core.Requests.SeriesEnd.Finished, "finished"),
        (Core.Requests.SeriesEnd.Cancelled, "cancelled"),
        (Core.Requests.SeriesEnd.Revoked, "revoked"),
        (Core.Requests.SeriesEnd.Offboarded, "offboarded"),
        (Core.Requests.SeriesEnd.Outgrown, "outgrown"));

    public static Words<ReviewState> Review { get; } = new(
        (ReviewState.Open, "open"),
        (ReviewState.Accepted, "accepted"),
        (ReviewState.Concern, "concern"));

    public static Words<RecordMode> Record { get; } = new(
        (RecordMode.Default, "default"),
        (RecordMode.Strict, "strict"));

    public static Words<AssignmentState> Assignment { get; } = new(
        (AssignmentState.Adding, "adding"),
        (AssignmentState.Standing, "standing"),
        (AssignmentState.Removing, "removing"),
        (AssignmentState.Removed, "removed"));

    public static Words<ChangeState> Change { get; } = new(
        (ChangeState.Pending, "pending"),
        (ChangeState.Applied, "applied"),
        (ChangeState.Denied, "denied"),
        (ChangeState.Withdrawn, "withdrawn"),
        (ChangeState.Lapsed, "lapsed"),
        (ChangeState.Stale, "stale"));

    public static Words<SessionState> Session { get; } = new(
        (SessionState.Live, "live"),
        (SessionState.Ended, "ended"));

    public static Words<SessionEndReason> SessionEnd { get; } = new(
        (SessionEndReason.ClientLeft, "client_left"),
        (SessionEndReason.TargetLeft, "target_left"),
        (SessionEndReason.Expired, "expired"),
        (SessionEndReason.Returned, "returned"),
        (SessionEndReason.Revoked, "revoked"),
        (SessionEndReason.Killed, "killed"),
        (SessionEndReason.Idle, "idle"),
        (SessionEndReason.RecordingFailed, "recording_failed"),
        (SessionEndReason.Draining, "draining"),
        (SessionEndReason.ProtocolError, "protocol_error"),
        (SessionEndReason.NodeLost, "node_lost"),
        (SessionEndReason.TargetRefused, "target_refused"),
        (SessionEndReason.Unchecked, "unchecked"));

    public static Words<CliAskingState> CliAsking { get; } = new(
        (CliAskingState.Waiting, "waiting"),
        (CliAskingState.Allowed, "allowed"),
        (CliAskingState.Denied, "denied"),
        (CliAskingState.Used, "used"));

    public static Words<CliPairState> CliPair { get; } = new(
        (CliPairState.Live, "live"),
        (CliPairState.Replaced, "replaced"),
        (CliPairState.Void, "void"));
}
