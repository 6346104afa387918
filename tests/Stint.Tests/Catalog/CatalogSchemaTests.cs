using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Yaml;
using Xunit;

namespace Stint.Tests.Catalog;

public class CatalogSchemaTests
{
    private static readonly JsonNode Schema = JsonNode.Parse(CatalogSchema.Json(Yaml.Kinds))!;

    [Fact]
    public void Json_EveryPart_SaysWhatItIs()
    {
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", (string?)Schema["$schema"]);
        Assert.False((bool)Schema["additionalProperties"]!);
        Assert.Equal(CatalogSchema.Json(Yaml.Kinds), CatalogSchema.Json(Yaml.Kinds));
    }

    [Fact]
    public void Json_GoodCatalog_Fits() => Assert.Empty(Check(Yaml.Whole()));

    [Fact]
    public void Json_EverythingTheGrammarHas_FitsAndLoads()
    {
        var hash = new string('a', 64);
        var text = $$"""
            people:
              ann: { name: Ann, mail: ann@shop.example, manager: bob, token: 'sha256:{{hash}}', disabled: false }
              bob: { tokens: ['sha256:{{hash.Replace('a', 'b')}}'] }
              carol:
              dan: {}
            groups:
              leads: { description: Leads, members: [bob, person:carol] }
              all: [ann, group:leads]
            admins: person:bob
            auditors: [group:leads]
            resources:
              db:
                kind: database
                description: A database
                labels: { env: prod }
                owners: group:leads
                settings: { host: h, port: 1, tls: on, verbose: true, timeout: 1h30m, password: { env: P } }
                roles:
                  r: { description: Read, risk: low, member_of: [a] }
                  s: { member_of: a }
                  t:
            bundles:
              b: { description: Week one, roles: [db/r, db/t], for: 8h }
            templates:
              t: { for: { default: 5m, max: 1h }, reason: { required: true }, approve: { workflow: w }, record: strict, begin_within: 1h }
            workflows:
              w: { steps: [ { from: owners }, { from: group:leads, need: 1 }, { from: person:carol }, { from: manager } ], distinct: false, lapses: 2d }
              x:
                order: sequential
                not_for_reports: true
                steps:
                  - { from: [skip-manager, group:leads], remind: 15m, escalate: { after: 30m, to: [group:leads, on-call:web] } }
                  - { from: on-call:web, not_for_reports: false, escalate: { after: 1h, to: owners } }
            on-call:
              web: { zone: Europe/Berlin, starts: 2026-01-05 09:00, turn: 7d, people: [bob, carol], stand_ins: [ { person: bob, from: 2026-12-24 09:00, until: 2026-12-27 09:00 } ] }
            policies:
              p: { who: [group:all, person:ann], roles: ['*/r', db/s], for: 1h, reason: { required: true, ticket: '^A$' }, approve: { workflow: w }, record: strict, begin_within: 30m }
              q: { who: ann, roles: '*/*', for: { default: 5m }, approve: { step_up: fresh, steps: [ { from: owners, step_up: passkey } ], distinct: true, lapses: 1h }, record: default }
              s: { who: ann, roles: db/r, template: t, for: 10m }
              g: { who: ann, roles: '*/*', for: 1h, reason: { ticket: '^INC$' }, break_glass: { tell: [group:leads, owners], review: { from: group:leads, within: 1d }, reason_at_least: 60 } }
              d: { deny: dan, roles: ['*/s'] }
              e: { deny: dan }
            tests:
              - name: an emergency
                given: { subject: ann, ask: db/r, reason: why, break_glass: true, task: github:org/repo#12 }
                expect: { verdict: deny, break_glass: false }
            """;

        Assert.Empty(Yaml.Load(text).Errors);
        Assert.Empty(Check(text));
    }

    [Theory]
    [InlineData("polices: {}")]
    [InlineData("policies: { p: { who: x, roles: x } }")]
    [InlineData("policies: { p: { who: x, roles: x, approve: { auto: true }, where: [x] } }")]
    [InlineData("policies: { p: { who: x, roles: x, approve: { auto: [x] } } }")]
    [InlineData("tests: [ { name: a, expect: { verdict: allow } } ]")]
    [InlineData("on-call: { pager: { zone: UTC } }")]
    [InlineData("policies: { p: { who: x, roles: x, approve: { auto: true }, for: soon } }")]
    [InlineData("policies: { p: { deny: x, for: 1h } }")]
    [InlineData("policies: { p: { who: x, roles: x, break_glass: { tell: owners } } }")]
    [InlineData("policies: { p: { who: x, roles: x, break_glass: { tell: owners, review: { from: everybody, within: 1h } } } }")]
    [InlineData("policies: { p: { who: x, roles: x, approve: { auto: true }, break_glass: { tell: owners, review: { from: owners, within: 1h } } } }")]
    [InlineData("people: { ann: { token: plain } }")]
    [InlineData("people: { 'a b': {} }")]
    [InlineData("resources: { db: { kind: database, settings: { host: h, password: plain }, roles: { r: {} } } }")]
    [InlineData("resources: { db: { kind: database, settings: {}, roles: { r: {} } } }")]
    [InlineData("resources: { db: { kind: other, roles: { r: {} } } }")]
    [InlineData("resources: { db: { kind: database, settings: { host: h }, roles: { r: { odd: 1 } } } }")]
    [InlineData("resources: { db: { kind: database, settings: { host: h }, roles: {} } }")]
    [InlineData("workflows: { w: { steps: [] } }")]
    [InlineData("groups: { g: x }")]
    [InlineData("bundles: { b: {} }")]
    [InlineData("bundles: { b: { roles: [] } }")]
    [InlineData("templates: { t: { who: x } }")]
    [InlineData("policies: { p: { deny: x, template: t } }")]
    public void Json_Mistake_DoesNotFit(string text)
    {
        Assert.NotEmpty(Check(text));
        Assert.NotEmpty(Yaml.Load(text).Errors);
    }

    internal static List<string> Check(string yaml, JsonNode? schema = null)
    {
        var problems = new Problems();
        var node = YamlFile.Read(new CatalogFile("a.yaml", yaml), problems);
        Assert.False(problems.Any);
        var wrong = new List<string>();
        Fit(Json(node!), (schema ?? Schema).AsObject(), "$", wrong);
        return wrong;
    }

    private static JsonNode? Json(Node node) => node switch
    {
        MapNode map => new JsonObject(map.Entries.Select(entry => KeyValuePair.Create(entry.Key, Json(entry.Value)))),
        ListNode list => new JsonArray([.. list.Items.Select(Json)]),
        TextNode { IsNull: true } => null,
        TextNode { Plain: true, Value: "true" or "false" } flag => flag.Value == "true",
        TextNode { Plain: true } text when long.TryParse(text.Value, CultureInfo.InvariantCulture, out var number) => number,
        TextNode text => text.Value,
        _ => throw new InvalidOperationException(),
    };

    /// <summary>The keywords that the schema uses; any other fails, so that nothing passes unread.</summary>
    private static void Fit(JsonNode? value, JsonObject schema, string at, List<string> wrong)
    {
        foreach (var (keyword, says) in schema)
        {
            switch (keyword)
            {
                case "$schema" or "title" or "description" or "then":
                    break;
                case "type":
                    var kind = value is null ? "null" : value switch { JsonObject => "object", JsonArray => "array", _ => value.GetValueKind() switch { System.Text.Json.JsonValueKind.String => "string", System.Text.Json.JsonValueKind.Number => "integer", _ => "boolean" } };
                    Must(says is JsonArray kinds ? kinds.Any(item => (string)item! == kind) : (string)says! == kind, "type");
                    break;
                case "enum":
                    Must(says!.AsArray().Any(item => JsonNode.DeepEquals(item, value)), "enum");
                    break;
                case "const":
                    Must(JsonNode.DeepEquals(says, value), "const");
                    break;
                case "pattern":
                    Must(value?.GetValueKind() != System.Text.Json.JsonValueKind.String || Regex.IsMatch((string)value!, (string)says!), "pattern");
                    break;
                case "minimum":
                    Must(value?.GetValueKind() != System.Text.Json.JsonValueKind.Number || (long)value! >= (long)says!, "minimum");
                    break;
                case "maximum":
                    Must(value?.GetValueKind() != System.Text.Json.JsonValueKind.Number || (long)value! <= (long)says!, "maximum");
                    break;
                case "minItems":
                    Must(value is not JsonArray some || some.Count >= (int)says!, "minItems");
                    break;
                case "maxItems":
                    Must(value is not JsonArray many || many.Count <= (int)says!, "maxItems");
                    break;
                case "minProperties":
                    Must(value is not JsonObject few || few.Count >= (int)says!, "minProperties");
                    break;
                case "maxProperties":
                    Must(value is not JsonObject lot || lot.Count <= (int)says!, "maxProperties");
                    break;
                case "required":
                    Must(value is not JsonObject own || says!.AsArray().All(name => own.ContainsKey((string)name!)), "required");
                    break;
                case "properties":
                    foreach (var (name, inner) in says!.AsObject())
                    {
                        if (value is JsonObject holder && holder.TryGetPropertyValue(name, out var held))
                        {
                            Fit(held, inner!.AsObject(), $"{at}.{name}", wrong);
                        }
                    }

                    break;
                case "additionalProperties":
                    foreach (var (name, held) in value as JsonObject ?? [])
                    {
                        if (schema["properties"]?.AsObject().ContainsKey(name) == true)
                        {
                            continue;
                        }

                        if (says is JsonObject each)
                        {
                            Fit(held, each, $"{at}.{name}", wrong);
                        }
                        else
                        {
                            Must(false, $"additional {name}");
                        }
                    }

                    break;
                case "propertyNames":
                    foreach (var (name, _) in value as JsonObject ?? [])
                    {
                        Fit(JsonValue.Create(name), says!.AsObject(), $"{at} name {name}", wrong);
                    }

                    break;
                case "items":
                    foreach (var item in value as JsonArray ?? [])
                    {
                        Fit(item, says!.AsObject(), $"{at}[]", wrong);
                    }

                    break;
                case "allOf":
                    foreach (var inner in says!.AsArray())
                    {
                        Fit(value, inner!.AsObject(), at, wrong);
                    }

                    break;
                case "oneOf":
                    Must(says!.AsArray().Count(inner => Fits(value, inner!.AsObject())) == 1, "oneOf");
                    break;
                case "if":
                    if (Fits(value, says!.AsObject()))
                    {
                        Fit(value, schema["then"]!.AsObject(), at, wrong);
                    }

                    break;
                default:
                    wrong.Add($"{at}: keyword {keyword} is not known to this test");
                    break;
            }

            void Must(bool fits, string what)
            {
                if (!fits)
                {
                    wrong.Add($"{at}: {what}");
                }
            }
        }
    }

    private static bool Fits(JsonNode? value, JsonObject schema)
    {
        var wrong = new List<string>();
        Fit(value, schema, "", wrong);
        return wrong.Count == 0;
    }
}
