using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Core.Catalog;

/// <summary>The catalog's grammar as a JSON schema (draft 2020-12), for editors. The loader says more, and has the last word.</summary>
public static class CatalogSchema
{
    internal const string Duration = "^(?=.)([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$";
    internal const string Name = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$";
    private const string Where = "A condition (CEL): where it does not hold, the rule says nothing.";
    private const string When = "A condition (CEL): when it does not hold, the rule says nothing, and an asker is told.";
    private const string LocalTime = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}$";
    private const string Source = "^(owners|manager|skip-manager|group:.+|person:.+|on-call:.+)$";
    private const string PersonName = "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$";

    /// <summary>The schema, indented.</summary>
    /// <param name="kinds">What each kind of resource takes.</param>
    public static string Json(IReadOnlyDictionary<string, KindShape> kinds)
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "A catalog of Stint",
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject
            {
                ["resources"] = Named(Name, Resource(kinds), "What access is given to."),
                ["bundles"] = Named(Name, Bundle(), "Roles that are asked for together."),
                ["groups"] = Named(Name, Group(), "Who belongs together."),
                ["people"] = Named(PersonName, Person(), "Who is known."),
                ["workloads"] = Named(Name, CatalogSchemaWorkloads.Workload(), "CI jobs and services: machines that may ask."),
                ["workflows"] = Named(Name, Object("Approval steps with a name.", ["steps"], WorkflowKeys()), "Approval steps that policies share."),
                ["templates"] = Named(Name, Object("Terms with a name.", [], Terms()), "Terms that policies share: what a policy says itself wins."),
                ["policies"] = Named(Name, Policy(), "Who may ask for what, or may not."),
                ["separate"] = Named(Name, Separation(), "Which roles one person may not hold together."),
                ["calendars"] = Named(Name, Calendar(), "Windows and days with a name, for policies."),
                ["on-call"] = Named(Name, Rota(), "Who is on call when."),
                ["never"] = Named(
                    Name,
                    Object(
                        "What must not happen.",
                        [],
                        new JsonObject
                        {
                            ["who"] = Texts("To whom: group:NAME or person:NAME. Default: everybody."),
                            ["roles"] = Texts("RESOURCE/ROLE, with * for any part of a name. Default: every role."),
                            ["where"] = Text("A condition (CEL) on the resource and the role."),
                            ["without"] = Pattern("^(any|owners|manager|group:.+|person:.+)$", "They may reach it with a yes from here."),
                            ["longer_than"] = Pattern(Duration, "They may reach it for this long."),
                        }),
                    "What the policies must never let happen, whoever is put into whichever groups; proved when the catalog is loaded."),
                ["tests"] = new JsonObject { ["type"] = new JsonArray("array", "null"), ["items"] = Test(), ["description"] = "What the policies are expected to answer; stint catalog test asks them." },
                ["admins"] = Texts("May revoke, end sessions and read everything: group:NAME or person:NAME."),
                ["auditors"] = Texts("May read everything that is not a secret: group:NAME or person:NAME."),
                ["changes"] = Changes(),
            },
        };
        // Written by the node itself: no reflection, so that trimming takes nothing away.
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" }))
        {
            schema.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static JsonObject Resource(IReadOnlyDictionary<string, KindShape> kinds)
    {
        var resource = Object(
            "A system that access is given to.",
            ["kind", "roles"],
            new JsonObject
            {
                ["kind"] = Choice([.. kinds.Keys.Order(StringComparer.Ordinal)], "Names the connector."),
                ["description"] = Text("For whoever asks."),
                ["labels"] = Named(Name, Text("A label."), "What is known about it."),
                ["owners"] = Texts("Who answers for it: group:NAME or person:NAME."),
                ["settings"] = new JsonObject { ["type"] = new JsonArray("object", "null") },
                ["roles"] = new JsonObject { ["type"] = "object", ["minProperties"] = 1, ["propertyNames"] = Pattern(Name) },
            });
        var branches = new JsonArray();
        foreach (var shape in kinds.Values.OrderBy(shape => shape.Kind, StringComparer.Ordinal))
        {
            var role = Settings(shape.Role, $"A role of a {shape.Kind}.");
            role["properties"]!.AsObject()["description"] = Text("For whoever asks.");
            role["properties"]!.AsObject()["risk"] = Choice(["low", "medium", "high"], "How much harm it can do.");
            role["type"] = new JsonArray("object", "null");
            var settings = Settings(shape.Resource, shape.Description);
            var roles = new JsonObject { ["additionalProperties"] = role };
            if (shape.RoleNames is { } names)
            {
                roles["propertyNames"] = Choice([.. names], "One of its roles.");
            }

            branches.Add(new JsonObject
            {
                ["if"] = new JsonObject { ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["const"] = shape.Kind } } },
                ["then"] = new JsonObject
                {
                    ["properties"] = new JsonObject
                    {
                        ["settings"] = settings,
                        ["roles"] = roles,
                    },
                },
            });
        }

        if (branches.Count > 0)
        {
            resource["allOf"] = branches;
        }

        return resource;
    }

    private static JsonObject Settings(IReadOnlyList<Field> fields, string description)
    {
        var properties = new JsonObject();
        foreach (var field in fields)
        {
            properties[field.Name] = Setting(field);
        }

        return Object(description, [.. fields.Where(field => field.Required).Select(field => field.Name)], properties);
    }

    private static JsonObject Setting(Field field)
    {
        var description = field.Default is null ? field.Description : $"{field.Description} Default: {field.Default}.";
        switch (field.Type)
        {
            case FieldType.Number:
                var number = new JsonObject { ["type"] = "integer", ["description"] = description };
                if (field.Min is { } least)
                {
                    number["minimum"] = least;
                }

                if (field.Max is { } most)
                {
                    number["maximum"] = most;
                }

                return number;
            case FieldType.Flag:
                return new JsonObject { ["type"] = "boolean", ["description"] = description };
            case FieldType.Duration:
                return Pattern(Duration, description);
            case FieldType.TextList:
                return field.OneOf is { } each ? Texts(description, Choice(each, description)) : Texts(description);
            case FieldType.Secret:
                var places = new JsonObject { ["env"] = Text("A variable of the server's environment."), ["file"] = Text("A file that only the server reads."), ["sealed"] = Text("What stint seal printed.") };
                var secret = Object(description, [], places);
                secret["minProperties"] = 1;
                secret["maxProperties"] = 1;
                return secret;
            default:
                return field.OneOf is { } values ? Choice(values, description) : Text(description);
        }
    }

    private static JsonObject Bundle() => Object(
        "Roles that are asked for together: joining a team, going on call.",
        ["roles"],
        new JsonObject
        {
            ["description"] = Text("For whoever asks."),
            ["roles"] = new JsonObject { ["type"] = "array", ["minItems"] = 1, ["maxItems"] = BundlesSection.MostRoles, ["items"] = Text("RESOURCE/ROLE."), ["description"] = "In the order in which they are decided and shown." },
            ["for"] = Pattern(Duration, "How long, when the asking does not say; each role for at most as long as its policies allow."),
        });

    private static JsonObject Person()
    {
        const string hash = "^sha256:[0-9a-fA-F]{64}$";
        var person = Object(
            "A person.",
            [],
            new JsonObject
            {
                ["name"] = Text("Their name."),
                ["mail"] = Text("Their address."),
                ["manager"] = Text("Another person."),
                ["token"] = Texts("Hash of their token, as stint token prints it.", Pattern(hash)),
                ["tokens"] = Texts("Hashes of their tokens.", Pattern(hash)),
                ["disabled"] = new JsonObject { ["type"] = "boolean", ["description"] = "Can do nothing; what they hold ends." },
                ["attributes"] = Named(Name, Text("A text."), "What else is known of them, for conditions: subject.attributes."),
            });
        person["type"] = new JsonArray("object", "null");
        return person;
    }

    private static JsonObject Group()
    {
        var members = new JsonObject { ["type"] = "array", ["items"] = Text("A person, workload:NAME, or group:NAME."), ["description"] = "Members: persons, workload:NAME, and group:NAME for the members of another." };
        return new JsonObject
        {
            ["oneOf"] = new JsonArray(
                members,
                Object("A group with a description.", ["members"], new JsonObject { ["description"] = Text("For people."), ["members"] = members.DeepClone() }),
                Object("A group that has its members from the directory, besides its own.", ["directory"], GroupKeys(members))),
        };
    }

    private static JsonObject GroupKeys(JsonObject members) => new()
    {
        ["description"] = Text("For people."),
        ["members"] = members.DeepClone(),
        ["directory"] = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 256, ["description"] = "Name (displayName) of the directory's group whose members are in this one." },
    };

    private static JsonObject StepUp() => Choice(["passkey", "fresh"], "How an approver proves themselves anew. passkey: their passkey signs what they approve; fresh: they signed in at most 10 minutes ago. Default: not at all.");

    private static JsonObject WorkflowKeys() => new()
    {
        ["steps"] = new JsonObject
        {
            ["type"] = "array",
            ["minItems"] = 1,
            ["maxItems"] = 10,
            ["items"] = Object(
                "One step.",
                ["from"],
                new JsonObject
                {
                    ["from"] = Texts("Whose yes: owners, manager, skip-manager, group:NAME, person:NAME or on-call:ROTA, or any of a list.", Pattern(Source)),
                    ["need"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = 20, ["description"] = "How many different persons. Default: 1." },
                    ["remind"] = Pattern(Duration, "After how long its people are reminded, and again each time the wait has doubled."),
                    ["escalate"] = Object(
                        "Who may answer too once it has waited.",
                        ["after", "to"],
                        new JsonObject { ["after"] = Pattern(Duration, "How long it waits before."), ["to"] = Texts("Who may answer then, too.", Pattern(Source)) }),
                    ["not_for_reports"] = new JsonObject { ["type"] = "boolean", ["description"] = "The requester's own manager does not count. Default: as the workflow says." },
                    ["step_up"] = StepUp(),
                }),
        },
        ["order"] = Choice(["parallel", "sequential"], "sequential: a step is asked once those before it are met. Default: parallel."),
        ["not_for_reports"] = new JsonObject { ["type"] = "boolean", ["description"] = "The requester's own manager counts in no step. Default: false." },
        ["distinct"] = new JsonObject { ["type"] = "boolean", ["description"] = "Nobody counts in two steps. Default: false." },
        ["lapses"] = Pattern(Duration, "How long a request waits for its decision. Default: 24h."),
    };

    private static JsonObject Changes()
    {
        var approve = WorkflowKeys();
        approve["workflow"] = Text("Name of a workflow.");
        return Object("How the catalog itself is changed.", ["approve"], new JsonObject { ["approve"] = Object("Whose yes a change needs: a workflow, or steps. Owners are the admins.", [], approve) });
    }

    /// <summary>What a policy may take from a template.</summary>
    private static JsonObject Terms()
    {
        var approve = WorkflowKeys();
        approve["auto"] = new JsonObject
        {
            ["type"] = new JsonArray("boolean", "string"),
            ["description"] = "true: allowed by rule. Or a condition beside a workflow or steps: allowed by rule where it holds.",
        };
        approve["workflow"] = Text("Name of a workflow.");
        approve["step_up"] = StepUp();
        return new JsonObject
        {
            ["for"] = new JsonObject
            {
                ["oneOf"] = new JsonArray(
                    Pattern(Duration, "How long, and how long at most."),
                    Object("How long.", [], new JsonObject { ["default"] = Pattern(Duration, "When the asking does not say."), ["max"] = Pattern(Duration, "At most.") })),
            },
            ["reason"] = Object(
                "What has to be said.",
                [],
                new JsonObject { ["required"] = new JsonObject { ["type"] = "boolean", ["description"] = "Whether a reason has to be given." }, ["ticket"] = Text("Pattern that the ticket has to match."), ["statements"] = new JsonObject { ["type"] = "boolean", ["description"] = "Whether the exact statements have to be named; nothing else runs then." } }),
            ["approve"] = Object("Whose yes it needs: auto: true, a workflow, or steps.", [], approve),
            ["record"] = Choice(["default", "strict"], "strict: every statement is durable before it is sent."),
            ["begin_within"] = Pattern(Duration, "How long an approved one waits to be begun. Default: 8h."),
            ["during"] = Texts("Names of calendars: access opens during any of them only, and ends with it at the latest."),
            ["not_during"] = Texts("Names of calendars: access opens during none of them, and ends before the next begins."),
        };
    }

    /// <param name="needed">The key by which it says whose yes it needs: itself, through a template, or nobody's in an emergency.</param>
    private static JsonObject Allows(string needed)
    {
        var keys = Terms();
        keys["who"] = Texts("Whom it is about: group:NAME, person:NAME or workload:NAME.");
        keys["roles"] = Texts("RESOURCE/ROLE, with * for any part of a name.");
        keys["where"] = Text(Where);
        keys["when"] = Text(When);
        if (needed == "template")
        {
            keys["template"] = Text("Name of a template that gives what it does not say itself.");
        }
        else if (needed == "break_glass")
        {
            keys.Remove("approve");
            keys["break_glass"] = Glass();
        }

        return Object("Who may ask for what.", ["who", "roles", needed], keys);
    }

    private static JsonObject Glass() => Object(
            "In place of approve: it opens at once in an emergency, and is reviewed.",
            ["tell", "review"],
            new JsonObject
            {
                ["tell"] = Texts("Who is told, loudly: owners, manager, skip-manager, group:NAME, person:NAME or on-call:ROTA.", Pattern(Source)),
                ["review"] = Object(
                    "Who reviews it, and by when.",
                    ["from", "within"],
                    new JsonObject { ["from"] = Texts("Who: as in tell. Nobody reviews themselves.", Pattern(Source)), ["within"] = Pattern(Duration, "How long they have, from the asking.") }),
                ["reason_at_least"] = new JsonObject { ["type"] = "integer", ["minimum"] = 10, ["maximum"] = 1_000, ["description"] = "Fewest characters of the reason, white space not counted. Default: 40." },
            });

    private static JsonObject Policy()
    {
        var denies = Object(
            "Who may not.",
            ["deny"],
            new JsonObject { ["deny"] = Texts("Whom it denies: group:NAME, person:NAME or workload:NAME."), ["roles"] = Texts("RESOURCE/ROLE, with * for any part of a name. Default: every role."), ["where"] = Text(Where), ["when"] = Text(When), ["during"] = Texts("Names of calendars: it denies during any of them, and ends what was opened before.") });
        return new JsonObject { ["oneOf"] = new JsonArray(Allows("approve"), Allows("template"), Allows("break_glass"), denies) };
    }

    private static JsonObject Separation() => Object(
        "Roles that one person may not hold beside others.",
        ["one", "other"],
        new JsonObject
        {
            ["one"] = Texts("RESOURCE/ROLE, with * for any part of a name."),
            ["other"] = Texts("RESOURCE/ROLE, with * for any part of a name; none that stands on the one side."),
            ["within"] = Pattern(Duration, "How long after the end of the one the other stays closed. Default: only while it is held."),
        });

    private static JsonObject Calendar()
    {
        const string days = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(\\.\\.[0-9]{4}-[0-9]{2}-[0-9]{2})?$";
        return Object(
            "Windows that come again, whole days, or both.",
            ["zone"],
            new JsonObject
            {
                ["zone"] = Text("IANA name of the time zone whose clock counts: Europe/Berlin."),
                ["every"] = Text("On which days a window begins, as a rule of RFC 5545: FREQ=WEEKLY;BYDAY=MO,TU."),
                ["at"] = Pattern("^[0-9]{2}:[0-9]{2}$", "At which time on that clock it begins."),
                ["for"] = Pattern(Duration, "How long it lasts: elapsed time, at most 31 days."),
                ["starts"] = Pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "The day from which the rule counts; needed where the rule does not say by itself on which days it falls."),
                ["dates"] = Texts("Whole days: 2026-12-24, or 2026-12-24..2027-01-02 with both ends included.", Pattern(days)),
                ["except"] = Texts("Days on which no window begins.", Pattern(days)),
            });
    }

    private static JsonObject Rota() => new()
    {
        ["oneOf"] = new JsonArray(
            Turns(),
            Object("Whoever a calendar names.", ["calendar"], new JsonObject { ["calendar"] = Text("https address of a calendar (RFC 5545)."), ["stale"] = Pattern(Duration, "How old what is known may be; after that nobody is on call. 24h if not said.") }),
            Object("Whoever another system names.", ["webhook"], new JsonObject { ["webhook"] = Text("Name of the sender in the configuration's webhooks."), ["stale"] = Pattern(Duration, "How old what is known may be; after that nobody is on call. 24h if not said.") })),
    };

    private static JsonObject Turns() => Object(
        "People who take turns.",
        ["zone", "starts", "turn", "people"],
        new JsonObject
        {
            ["zone"] = Text("IANA name of the time zone whose clock counts: Europe/Berlin."),
            ["starts"] = Pattern(LocalTime, "The first handover on that clock: 2026-01-05 09:00."),
            ["turn"] = Pattern(Duration, "How long one turn lasts."),
            ["people"] = new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = Text("A person."), ["description"] = "In the order of their turns." },
            ["stand_ins"] = new JsonObject
            {
                ["type"] = "array",
                ["description"] = "Who is on call in place of whose turn it is; a later one wins.",
                ["items"] = Object(
                    "A stand-in.",
                    ["person", "from", "until"],
                    new JsonObject { ["person"] = Text("A person."), ["from"] = Pattern(LocalTime, "On the rota's clock."), ["until"] = Pattern(LocalTime, "On the rota's clock, not included.") }),
            },
        });

    private static JsonObject Test()
    {
        const string moment = "A moment with its offset: 2026-03-02T10:00:00Z.";
        var subject = Object(
            "Somebody, as the test wants them.",
            ["id"],
            new JsonObject
            {
                ["id"] = Text("Their name; workload:NAME for a workload."),
                ["groups"] = Texts("Groups that they are in, in place of those that the catalog says."),
                ["attributes"] = Named(Name, Text("A text."), "In place of those that the catalog says."),
                ["claims"] = Named(Name, Text("A text."), "Of a workload: what its token says. Default: what the catalog demands to the letter."),
                ["on_call"] = new JsonObject { ["type"] = "boolean", ["description"] = "In place of what the rotas say." },
                ["manager"] = Text("In place of the one that the catalog says."),
            });
        return Object(
            "One asking, and what is expected of it.",
            ["name", "given", "expect"],
            new JsonObject
            {
                ["name"] = Text("What it says, in a sentence."),
                ["given"] = Object(
                    "The asking.",
                    ["subject", "ask"],
                    new JsonObject
                    {
                        ["subject"] = new JsonObject { ["oneOf"] = new JsonArray(Text("A person."), subject) },
                        ["ask"] = Text("RESOURCE/ROLE, or the name of a bundle."),
                        ["for"] = Pattern(Duration, "The wished duration."),
                        ["reason"] = Text("The justification."),
                        ["ticket"] = Text("The tracker's ticket."),
                        ["start"] = Text(moment),
                        ["break_glass"] = new JsonObject { ["type"] = "boolean", ["description"] = "Whether it is asked as break-glass." },
                        ["task"] = Text("The task that access would be bound to: github:org/repo#12."),
                        ["statements"] = Texts("The exact statements that it would be for."),
                        ["at"] = Text(moment + " Default: 2026-01-05T12:00:00Z, a Monday."),
                        ["held"] = new JsonObject
                        {
                            ["type"] = "array",
                            ["description"] = "What they hold or held then, for separations.",
                            ["items"] = Object(
                                "A role that they hold, held or were promised.",
                                ["role"],
                                new JsonObject { ["role"] = Text("RESOURCE/ROLE."), ["from"] = Text(moment + " Default: before the asking."), ["until"] = Text(moment + " Default: its end is not known.") }),
                        },
                    }),
                ["expect"] = Object(
                    "What is expected; what is left out is not looked at.",
                    [],
                    new JsonObject
                    {
                        ["verdict"] = Choice(["allow", "needs_approval", "deny"], "The verdict."),
                        ["because"] = Texts("Rules that decide, all of them."),
                        ["for"] = Pattern(Duration, "How long it would last."),
                        ["max"] = Pattern(Duration, "How long it could last."),
                        ["steps"] = Texts("Where the yes comes from: owners, group:NAME."),
                        ["step_up"] = Choice(["passkey", "fresh", "none"], "The strictest proof that any step wants with a yes."),
                        ["record"] = Choice(["default", "strict"], "How it would be recorded."),
                        ["roles"] = Named("^[^/]+/[^/]+$", Choice(["allow", "needs_approval", "deny"], "The verdict."), "Of a bundle: the verdict for each of its roles."),
                        ["opens"] = Text("When it could open at the earliest. " + moment),
                        ["ends_by"] = Text("When calendars would end it at the latest. " + moment),
                        ["break_glass"] = new JsonObject { ["type"] = "boolean", ["description"] = "Whether it is let in as break-glass." },
                        ["known"] = new JsonObject { ["type"] = "boolean", ["description"] = "Of a no: whether the asker is told that the role exists." },
                    }),
            });
    }

    internal static JsonObject Object(string description, string[] required, JsonObject properties)
    {
        var made = new JsonObject { ["type"] = "object", ["description"] = description, ["additionalProperties"] = false, ["properties"] = properties };
        if (required.Length > 0)
        {
            made["required"] = new JsonArray([.. required.Select(name => (JsonNode)name)]);
        }

        return made;
    }

    internal static JsonObject Named(string name, JsonObject value, string description) => new()
    {
        ["type"] = new JsonArray("object", "null"),
        ["description"] = description,
        ["propertyNames"] = Pattern(name),
        ["additionalProperties"] = value,
    };

    internal static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    internal static JsonObject Texts(string description, JsonObject? each = null)
    {
        var one = each ?? new JsonObject { ["type"] = "string" };
        return new JsonObject
        {
            ["description"] = description,
            ["oneOf"] = new JsonArray(one, new JsonObject { ["type"] = "array", ["items"] = one.DeepClone() }),
        };
    }

    private static JsonObject Choice(IReadOnlyList<string> values, string description) =>
        new() { ["enum"] = new JsonArray([.. values.Select(value => (JsonNode)value)]), ["description"] = description };

    internal static JsonObject Pattern(string pattern, string? description = null)
    {
        var made = new JsonObject { ["type"] = "string", ["pattern"] = pattern };
        if (description is not null)
        {
            made["description"] = description;
        }

        return made;
    }
}
