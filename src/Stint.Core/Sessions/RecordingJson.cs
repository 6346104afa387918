using System.Text.Json;

namespace Stint.Core.Sessions;

/// <summary>Records as JSON: one object each, members in snake case, durations in milliseconds, times in RFC 3339 UTC.</summary>
public static class RecordingJson
{
    /// <summary>Writes a record.</summary>
    public static void Write(Utf8JsonWriter to, RecordingRecord record)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(record);
        to.WriteStartObject();
        to.WriteNumber("seq", record.Seq);
        to.WriteString("at", Moment(record.At));
        to.WriteString("type", TypeOf(record));
        Body(to, record);
        to.WriteEndObject();
    }

    /// <summary>The record's type, as JSON names it.</summary>
    public static string TypeOf(RecordingRecord record) => record switch
    {
        RecordingRecord.SessionStart => "session_start",
        RecordingRecord.Prepare => "prepare",
        RecordingRecord.Bind => "bind",
        RecordingRecord.Statement => "statement",
        RecordingRecord.Result => "result",
        RecordingRecord.Copy => "copy",
        RecordingRecord.ServerError => "notice_error",
        RecordingRecord.Cancel => "cancel",
        RecordingRecord.SessionClosed => "session_end",
        _ => throw new ArgumentOutOfRangeException(nameof(record)),
    };

    private static void Body(Utf8JsonWriter to, RecordingRecord record)
    {
        switch (record)
        {
            case RecordingRecord.SessionStart start:
                Header(to, start.Header);
                break;
            case RecordingRecord.Prepare prepare:
                to.WriteString("statement_name", prepare.Name);
                Text(to, prepare.Text);
                break;
            case RecordingRecord.Bind bind:
                to.WriteString("portal", bind.Portal);
                to.WriteString("statement_name", bind.StatementName);
                to.WriteNumber("of", bind.Of);
                Text(to, bind.Text);
                Parameters(to, bind.Parameters, bind.OmittedParameters);
                break;
            case RecordingRecord.Statement statement:
                to.WriteString("protocol", Lower(statement.Protocol));
                Text(to, statement.Text);
                to.WriteString("statement_name", statement.Name);
                to.WriteString("portal", statement.Portal);
                Reference(to, "prepared", statement.Prepared);
                Reference(to, "bound", statement.Bound);
                Reference(to, "continues", statement.Continues);
                Parameters(to, statement.Parameters, statement.OmittedParameters);
                break;
            case RecordingRecord.Result result:
                Result(to, result);
                break;
            case RecordingRecord.Copy copy:
                to.WriteNumber("of", copy.Of);
                to.WriteString("direction", Lower(copy.Direction));
                to.WriteNumber("bytes", copy.Bytes);
                to.WriteNumber("rows", copy.Rows);
                to.WriteBoolean("finished", copy.Finished);
                break;
            case RecordingRecord.ServerError error:
                Error(to, error.Error);
                break;
            case RecordingRecord.Cancel cancel:
                to.WriteString("from", cancel.From);
                break;
            case RecordingRecord.SessionClosed closed:
                to.WriteString("reason", closed.Reason.ToString());
                to.WriteString("note", closed.Note);
                to.WriteNumber("statements", closed.Statements);
                to.WriteNumber("bytes_from_client", closed.BytesFromClient);
                to.WriteNumber("bytes_to_client", closed.BytesToClient);
                break;
            default:
                break;
        }
    }

    private static void Header(Utf8JsonWriter to, RecordingHeader header)
    {
        to.WriteString("session", header.Session.Value);
        to.WriteString("subject", header.Subject.Value);
        to.WriteString("role", header.Role.ToString());
        to.WriteString("grant", header.Grant.Value);
        to.WriteString("request", header.Request.Value);
        to.WriteString("kind", header.Kind);
        to.WriteString("login", header.Login);
        to.WriteString("database", header.Database);
        to.WriteString("application", header.Application);
        to.WriteString("from", header.From);
        to.WriteBoolean("tls", header.Tls);
        to.WriteString("node", header.Node);
        to.WriteString("record", Lower(header.Mode));
        to.WriteString("not_after", Moment(header.NotAfter));
    }

    private static void Result(Utf8JsonWriter to, RecordingRecord.Result result)
    {
        to.WriteNumber("of", result.Of);
        to.WriteNumber("index", result.Index);
        to.WriteString("outcome", Lower(result.Outcome));
        to.WriteNumber("duration_ms", result.Duration.TotalMilliseconds);
        if (result.Rows is { } rows)
        {
            to.WriteNumber("rows", rows);
        }
        else
        {
            to.WriteNull("rows");
        }

        to.WriteString("tag", result.Tag);
        Error(to, result.Error);
    }

    private static void Error(Utf8JsonWriter to, RecordedError? error)
    {
        if (error is null)
        {
            to.WriteNull("error");
            return;
        }

        to.WriteStartObject("error");
        to.WriteString("sqlstate", error.Sqlstate);
        to.WriteString("message", error.Message);
        to.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter to, RecordedText? text)
    {
        to.WriteString("text", text?.Value);
        if (text is null)
        {
            return;
        }

        to.WriteNumber("text_bytes", text.Bytes);
        to.WriteBoolean("truncated", text.Truncated);
        to.WriteBoolean("masked", text.Masked);
        if (text.Sha256 is not null)
        {
            to.WriteString("text_sha256", text.Sha256);
        }
    }

    private static void Parameters(Utf8JsonWriter to, IReadOnlyList<RecordedParameter> parameters, int omitted)
    {
        to.WriteStartArray("parameters");
        foreach (var parameter in parameters)
        {
            to.WriteStartObject();
            to.WriteString("type", parameter.Type);
            to.WriteString("value", parameter.Value);
            to.WriteNumber("bytes", parameter.Bytes);
            to.WriteBoolean("truncated", parameter.Truncated);
            to.WriteEndObject();
        }

        to.WriteEndArray();
        to.WriteNumber("omitted_parameters", omitted);
    }

    private static void Reference(Utf8JsonWriter to, string name, long seq)
    {
        if (seq > 0)
        {
            to.WriteNumber(name, seq);
        }
        else
        {
            to.WriteNull(name);
        }
    }

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Moment(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
