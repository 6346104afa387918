using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Stint.Tests.Identity.Scim;

/// <summary>The protocol as RFC 7643 and 7644 say it, and as Entra ID and Okta speak it.</summary>
public sealed class ScimProtocolTests
{
    [Fact]
    public async Task User_Created_IsToldWithEverythingThatAClientLooksFor()
    {
        await using var scim = await ScimNode.StartAsync();
        var (status, user, response) = await scim.SendAsync("POST", "/Users", $$$"""
            {"schemas":["{{{ScimNode.UserSchema}}}","{{{ScimNode.Enterprise}}}"],"UserName":"bjensen@example.com","externalId":"0001","id":"mine","meta":{"version":"x"},
             "name":{"givenName":"Barbara","familyName":"Jensen"},"active":"True","emails":[{"value":"b@example.com","type":"work","primary":true}],"groups":[{"value":"x"}],
             "{{{ScimNode.Enterprise}}}":{"department":"Sales"},"urn:example:other":{"a":1},"unknown":7}
            """);
        Assert.Equal(201, status);
        var id = (string)user["id"]!;
        Assert.NotEqual("mine", id);
        Assert.Equal($"{scim.Node.Node.Address}scim/v2/Users/{id}", response.Headers.Location!.ToString());
        Assert.Equal("W/\"1\"", response.Headers.ETag!.ToString());
        Assert.Equal("W/\"1\"", (string?)user["meta"]!["version"]);
        Assert.Equal("User", (string?)user["meta"]!["resourceType"]);
        Assert.Equal(user["meta"]!["created"]!.ToString(), user["meta"]!["lastModified"]!.ToString());
        Assert.True((bool)user["active"]!);
        Assert.Equal("Sales", (string?)user[ScimNode.Enterprise]!["department"]);
        Assert.Null(user["groups"]);
        Assert.Null(user["unknown"]);
        Assert.True(JsonNode.DeepEquals(user, await scim.OkAsync("GET", $"/Users/{id}")));
    }

    [Fact]
    public async Task Bad_EachSaysWhy()
    {
        await using var scim = await ScimNode.StartAsync();
        var ann = await scim.UserAsync("ann");
        var user = $$$"""{"schemas":["{{{ScimNode.UserSchema}}}"],"userName":""";
        Assert.Equal("uniqueness", await scim.NoAsync(409, "POST", "/Users", user + "\"ANN\"}"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Users", $$$"""{"schemas":["{{{ScimNode.UserSchema}}}"]}"""));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Users", user + "\" \"}"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Users", user + "7}"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Users", user + "\"x\",\"active\":\"maybe\"}"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Users", user + "\"x\",\"name\":\"Ann\"}"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Users", user + "\"x\",\"emails\":[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":true}]}"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Users", user + "\"\\u001b[31mred\"}"));
        Assert.Equal("invalidSyntax", await scim.NoAsync(400, "POST", "/Users", """{"userName":"x"}"""));
        Assert.Equal("invalidSyntax", await scim.NoAsync(400, "POST", "/Users", "{"));
        Assert.Equal("invalidSyntax", await scim.NoAsync(400, "POST", "/Users", "[]"));
        Assert.Equal("invalidSyntax", await scim.NoAsync(400, "POST", "/Users", new string('[', 5_000)));
        Assert.Equal("invalidSyntax", await scim.NoAsync(400, "POST", "/Users", user + "\"x\",\"USERNAME\":\"y\"}"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "POST", "/Groups", $$$"""{"schemas":["{{{ScimNode.GroupSchema}}}"],"displayName":"g","members":[{"value":"nobody"}]}"""));
        Assert.Null(await scim.NoAsync(404, "GET", "/Users/nobody"));
        Assert.Null(await scim.NoAsync(404, "DELETE", "/Groups/nobody"));
        Assert.Null(await scim.NoAsync(404, "GET", "/Nothing"));
        Assert.Null(await scim.NoAsync(405, "DELETE", "/Users"));
        Assert.Null(await scim.NoAsync(501, "GET", "/Me"));
        Assert.Null(await scim.NoAsync(403, "GET", "/Schemas?filter=id%20pr"));
        Assert.Equal("mutability", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"remove","path":"userName"}"""));
        Assert.Equal("mutability", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"replace","path":"id","value":"x"}"""));
        Assert.Equal("invalidPath", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"replace","path":"nothing","value":"x"}"""));
        Assert.Equal("invalidPath", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"replace","path":"emails[type eq","value":"x"}"""));
        Assert.Equal("noTarget", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"remove"}"""));
        Assert.Equal("noTarget", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"replace","path":"emails[type eq \"work\"].value","value":"x"}"""));
        Assert.Equal("invalidSyntax", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"move","path":"title","value":"x"}"""));
        Assert.Equal("invalidValue", await scim.PatchNoAsync(400, $"/Users/{ann}", """{"op":"replace","value":"x"}"""));
        Assert.Equal("W/\"1\"", (string?)(await scim.OkAsync("GET", $"/Users/{ann}"))["meta"]!["version"]);
    }

    // Each line is a form that one of the two sends.
    [Theory]
    [InlineData("""{"op":"replace","value":{"active":false}}""", "active", "false")]
    [InlineData("""{"op":"Replace","path":"active","value":"False"}""", "active", "false")]
    [InlineData("""{"op":"Replace","path":"active","value":false}""", "active", "false")]
    [InlineData("""{"op":"Add","path":"title","value":"Chief"}""", "title", "\"Chief\"")]
    [InlineData("""{"op":"Remove","path":"title"}""", "title", "null")]
    [InlineData("""{"op":"Replace","path":"title","value":null}""", "title", "null")]
    [InlineData("""{"op":"Replace","path":"name.familyName","value":"Other"}""", "name", """{"givenName":"Ann","familyName":"Other"}""")]
    [InlineData("""{"op":"replace","path":"name","value":{"familyName":"Other"}}""", "name", """{"givenName":"Ann","familyName":"Other"}""")]
    [InlineData("""{"op":"Add","value":{"name.familyName":"Other","displayName":"A"}}""", "name", """{"givenName":"Ann","familyName":"Other"}""")]
    [InlineData("""{"op":"Replace","path":"emails[type eq \"work\"].value","value":"new@x.org"}""", "emails", """[{"value":"new@x.org","type":"work","primary":true},{"value":"h@x.org","type":"home"}]""")]
    [InlineData("""{"op":"Add","path":"emails[type eq \"other\"].value","value":"o@x.org"}""", "emails", """[{"value":"w@x.org","type":"work","primary":true},{"value":"h@x.org","type":"home"},{"type":"other","value":"o@x.org"}]""")]
    [InlineData("""{"op":"add","path":"emails","value":[{"value":"o@x.org","primary":true}]}""", "emails", """[{"value":"w@x.org","type":"work","primary":false},{"value":"h@x.org","type":"home"},{"value":"o@x.org","primary":true}]""")]
    [InlineData("""{"op":"add","path":"emails","value":[{"value":"w@x.org","type":"work"}]}""", "emails", """[{"value":"w@x.org","type":"work","primary":true},{"value":"h@x.org","type":"home"}]""")]
    [InlineData("""{"op":"remove","path":"emails[type eq \"home\"]"}""", "emails", """[{"value":"w@x.org","type":"work","primary":true}]""")]
    [InlineData("""{"op":"remove","path":"emails[value sw \"w\" or type eq \"home\"]"}""", "emails", "null")]
    [InlineData("""{"op":"replace","path":"emails","value":[{"value":"only@x.org"}]}""", "emails", """[{"value":"only@x.org"}]""")]
    [InlineData("""{"op":"Add","path":"roles","value":[{"value":"admin","primary":"True"}]}""", "roles", """[{"value":"admin","primary":true}]""")]
    [InlineData("""{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"}""", "ext", """{"department":"Sales"}""")]
    [InlineData("""{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m-1"}""", "ext", """{"manager":{"value":"m-1"}}""")]
    [InlineData("""{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"m-1"}""", "ext", """{"manager":{"value":"m-1"}}""")]
    [InlineData("""{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"},"id":"x","schemas":["y"]}}""", "ext", """{"department":"Sales"}""")]
    [InlineData("""{"op":"Add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Sales"}}""", "ext", """{"department":"Sales"}""")]
    [InlineData("""{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:nickName","value":"A"}""", "nickName", "\"A\"")]
    [InlineData("""{"op":"add","path":"title","value":"One"},{"op":"remove","path":"title"},{"op":"add","path":"nickName","value":"A"}""", "nickName", "\"A\"")]
    public async Task Patch_InTheFormsOfEntraAndOkta_DoesWhatIsMeant(string operations, string attribute, string expected)
    {
        await using var scim = await ScimNode.StartAsync();
        var id = await scim.UserAsync("ann", ""","title":"Head","name":{"givenName":"Ann","familyName":"One"},"emails":[{"value":"w@x.org","type":"work","primary":true},{"value":"h@x.org","type":"home"}]""");
        var user = await scim.PatchAsync($"/Users/{id}", operations);
        var value = attribute == "ext" ? user[ScimNode.Enterprise]?.DeepClone() : user[attribute];
        ((value as JsonObject)?["manager"] as JsonObject)?.Remove("$ref");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), value), $"{operations} → {value?.ToJsonString()}");

        // What was so already is no change.
        Assert.Equal(operations.Contains("[{\"value\":\"w@x.org\",\"type\":\"work\"}]", StringComparison.Ordinal) ? "W/\"1\"" : "W/\"2\"", (string?)user["meta"]!["version"]);
    }

    [Fact]
    public async Task Members_InTheFormsOfEntraAndOkta_ComeAndGo()
    {
        await using var scim = await ScimNode.StartAsync();
        string[] ids = [await scim.UserAsync("u0"), await scim.UserAsync("u1"), await scim.UserAsync("u2")];
        var group = await scim.GroupAsync("Team", ids[0]);
        async Task<string> AfterAsync(string operations)
        {
            await scim.PatchAsync($"/Groups/{group}", operations, 204);
            return string.Join(' ', (await scim.OkAsync("GET", $"/Groups/{group}"))["members"]!.AsArray().Select(member => Array.IndexOf(ids, (string)member!["value"]!)).Order());
        }

        Assert.Equal("0 1 2", await AfterAsync($$$"""{"op":"Add","path":"members","value":[{"value":"{{{ids[1]}}}"},{"value":"{{{ids[2]}}}","$ref":null},{"value":"{{{ids[0]}}}"}]}"""));
        Assert.Equal("0 2", await AfterAsync($$$"""{"op":"Remove","path":"members[value eq \"{{{ids[1]}}}\"]"}"""));
        Assert.Equal("0", await AfterAsync($$$"""{"op":"Remove","path":"members","value":[{"value":"{{{ids[2]}}}"},{"value":"{{{ids[1]}}}"}]}"""));
        Assert.Equal("1", await AfterAsync($$$"""{"op":"replace","value":{"id":"{{{group}}}","displayName":"Team 2","members":[{"value":"{{{ids[1]}}}"}]}}"""));
        Assert.Equal("1", await AfterAsync($$$"""{"op":"Remove","path":"members[value eq \"{{{ids[0]}}}\"]"}"""));
        Assert.Equal("2", await AfterAsync($$$"""{"op":"remove","path":"members[display eq \"u1\"]"},{"op":"add","path":"members","value":{"value":"{{{ids[2]}}}"}}"""));
        Assert.Equal("", await AfterAsync("""{"op":"remove","path":"members"}"""));
        Assert.Equal("0", await AfterAsync($$$"""{"op":"add","value":{"members":[{"value":"{{{ids[0]}}}"}]}}"""));
        Assert.Equal("Team 2", (string?)(await scim.OkAsync("GET", $"/Users/{ids[0]}"))["groups"]![0]!["display"]);
        await scim.OkAsync("DELETE", $"/Users/{ids[0]}", null, 204);
        Assert.Empty((await scim.OkAsync("GET", $"/Groups/{group}"))["members"]!.AsArray());
    }

    [Theory]
    [InlineData("userName eq \"ANN\"", "ann")]
    [InlineData("USERNAME Eq \"ann\"", "ann")]
    [InlineData("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"a\"", "ann al_ex")]
    [InlineData("userName co \"n\"", "ann ben")]
    [InlineData("userName co \"l_e\"", "al_ex")]
    [InlineData("userName ew \"%\"", "")]
    [InlineData("externalId eq \"X1\"", "ann")]
    [InlineData("externalId eq \"x1\"", "")]
    [InlineData("externalId co \"1\"", "ann")]
    [InlineData("active eq false", "ben")]
    [InlineData("active eq \"False\"", "ben")]
    [InlineData("active ne true", "ben")]
    [InlineData("title pr", "ann ben")]
    [InlineData("not (title pr)", "al_ex")]
    [InlineData("title ne \"head\"", "ben al_ex")]
    [InlineData("not (title eq \"head\")", "ben al_ex")]
    [InlineData("title eq null", "al_ex")]
    [InlineData("title pr and not (userName eq \"ben\")", "ann")]
    [InlineData("userName eq \"ann\" or userName eq \"ben\" and active eq true", "ann")]
    [InlineData("(userName eq \"ann\" or userName eq \"ben\") and active eq true", "ann")]
    [InlineData("name.familyName gt \"b\"", "ben")]
    [InlineData("name.familyName le \"Alpha\"", "ann")]
    [InlineData("name pr", "ann ben")]
    [InlineData("nickName eq \"BE\"", "ben")]
    [InlineData("emails eq \"ann@x.org\"", "ann")]
    [InlineData("emails.value ew \"@x.org\"", "ann ben")]
    [InlineData("emails[type eq \"work\" and value co \"@x.org\"]", "ann")]
    [InlineData("emails[type eq \"work\"].value eq \"ann@x.org\"", "ann")]
    [InlineData("emails[type eq \"home\"] and userName eq \"ben\"", "ben")]
    [InlineData("emails[not (type eq \"work\")]", "ben")]
    [InlineData("emails.type eq \"work\"", "ann")]
    [InlineData("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"sales\"", "ben")]
    [InlineData("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq \"7\"", "ben")]
    [InlineData("meta.created ge \"2020-01-01T00:00:00Z\" and meta.lastModified lt \"2120-01-01T00:00:00.000+02:00\"", "ann ben al_ex")]
    [InlineData("meta.resourceType eq \"User\"", "ann ben al_ex")]
    [InlineData("groups.display eq \"team\"", "ben")]
    [InlineData("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", "ann ben al_ex")]
    public async Task Filter_TheWholeGrammar_FindsWhoIsMeant(string filter, string expected)
    {
        await using var scim = await FilledAsync();
        Assert.Equal(expected, await scim.FindAsync(filter));
    }

    [Theory]
    [InlineData("userName")]
    [InlineData("userName eq")]
    [InlineData("userName eq ann")]
    [InlineData("userName is \"ann\"")]
    [InlineData("userName eq \"ann")]
    [InlineData("userName eq \"ann\" and")]
    [InlineData("(userName eq \"ann\"")]
    [InlineData("userName eq \"ann\")")]
    [InlineData("emails[type eq \"work\"")]
    [InlineData("nothing eq \"x\"")]
    [InlineData("active gt true")]
    [InlineData("active eq 7")]
    [InlineData("userName eq 7")]
    [InlineData("meta.created gt \"yesterday\"")]
    [InlineData("name eq \"x\"")]
    [InlineData("")]
    [InlineData("userName eq \"x\" xor userName eq \"y\"")]
    public async Task Filter_ThatIsNone_IsRefusedWithInvalidFilter(string filter)
    {
        await using var scim = await ScimNode.StartAsync();
        var expected = filter.Length == 0 ? 200 : 400;
        Assert.Equal(expected == 200 ? null : "invalidFilter", (string?)(await scim.OkAsync("GET", $"/Users?filter={Uri.EscapeDataString(filter)}", null, expected))["scimType"]);
    }

    [Fact]
    public async Task Filter_LongOrDeep_IsRefusedAndNotFollowed()
    {
        await using var scim = await ScimNode.StartAsync();
        foreach (var filter in new[] { new string('(', 100) + "title pr" + new string(')', 100), string.Join(" or ", Enumerable.Repeat("title pr", 300)), new string('x', 5_000) })
        {
            Assert.Equal("invalidFilter", (string?)(await scim.OkAsync("POST", "/Users/.search", new JsonObject { ["schemas"] = new JsonArray("urn:ietf:params:scim:api:messages:2.0:SearchRequest"), ["filter"] = filter }.ToJsonString(), 400))["scimType"]);
        }
    }

    [Fact]
    public async Task Pages_Sorting_AndChoice_AreAsAsked()
    {
        await using var scim = await FilledAsync();
        async Task<(string Names, int Total, int Items)> ListAsync(string query)
        {
            var list = await scim.OkAsync("GET", "/Users" + query);
            return (string.Join(' ', list["Resources"]!.AsArray().Select(user => (string?)user!["userName"])), (int)list["totalResults"]!, (int)list["itemsPerPage"]!);
        }

        Assert.Equal(("ann ben al_ex", 3, 3), await ListAsync(""));
        Assert.Equal(("ben", 3, 1), await ListAsync("?startIndex=2&count=1"));
        Assert.Equal(("", 3, 0), await ListAsync("?count=0"));
        Assert.Equal(("", 3, 0), await ListAsync("?count=-5"));
        Assert.Equal(("ann ben al_ex", 3, 3), await ListAsync("?startIndex=-3&count=99999"));
        Assert.Equal(("", 3, 0), await ListAsync("?startIndex=4"));
        Assert.Equal(("al_ex ann ben", 3, 3), await ListAsync("?sortBy=userName"));
        Assert.Equal(("ben ann al_ex", 3, 3), await ListAsync("?sortBy=userName&sortOrder=descending"));
        Assert.Equal(("ann ben al_ex", 3, 3), await ListAsync("?sortBy=name.familyName"));
        Assert.Equal(("ben ann al_ex", 3, 3), await ListAsync("?sortBy=name.familyName&sortOrder=descending"));
        Assert.Equal(("ben", 2, 1), await ListAsync("?sortBy=emails.value&sortOrder=descending&count=1&filter=emails%20pr"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "GET", "/Users?count=many"));
        Assert.Equal("invalidValue", await scim.NoAsync(400, "GET", "/Users?sortBy=nothing"));

        var chosen = (await scim.OkAsync("GET", "/Users?attributes=userName,emails.value&filter=userName%20eq%20%22ann%22"))["Resources"]![0]!.AsObject();
        Assert.Equal(["emails", "id", "schemas", "userName"], chosen.Select(pair => pair.Key).Order());
        Assert.Equal("""[{"value":"ann@x.org"}]""", chosen["emails"]!.ToJsonString());
        var without = (await scim.OkAsync("GET", $"/Users?excludedAttributes=emails,meta,id,{ScimNode.Enterprise}:department&filter=userName%20eq%20%22ben%22"))["Resources"]![0]!.AsObject();
        Assert.Null(without["emails"]);
        Assert.NotNull(without["id"]);
        Assert.Null(without[ScimNode.Enterprise]!["department"]);
        var search = await scim.OkAsync("POST", "/.search", """{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"displayName sw \"t\"","attributes":["displayName"],"startIndex":1,"count":10}""");
        Assert.Equal(1, (int)search["totalResults"]!);
        Assert.Equal("Team", (string?)search["Resources"]![0]!["displayName"]);
        Assert.Equal(4, (int)(await scim.OkAsync("GET", "/"))["totalResults"]!);
        var group = (await scim.OkAsync("GET", "/Groups?excludedAttributes=members"))["Resources"]![0]!;
        Assert.Null(group["members"]);
        var ben = (string)(await scim.OkAsync("GET", "/Users?filter=userName%20eq%20%22ben%22"))["Resources"]![0]!["id"]!;
        Assert.Equal(1, (int)(await scim.OkAsync("GET", $"/Groups?filter=id%20eq%20%22{group["id"]}%22%20and%20members%20eq%20%22{ben}%22"))["totalResults"]!);
        Assert.Equal(0, (int)(await scim.OkAsync("GET", "/Groups?filter=members.value%20eq%20%22x%22"))["totalResults"]!);
        Assert.Equal(1, (int)(await scim.OkAsync("GET", $"/Groups?filter=members%5Bvalue%20eq%20%22{ben}%22%5D"))["totalResults"]!);
    }

    [Fact]
    public async Task ETags_ALostRaceIsNotWritten()
    {
        await using var scim = await ScimNode.StartAsync();
        var id = await scim.UserAsync("ann");
        var patch = $$$"""{"schemas":["{{{ScimNode.PatchSchema}}}"],"Operations":[{"op":"add","path":"title","value":"One"}]}""";
        Assert.Equal(412, (await scim.SendAsync("PATCH", $"/Users/{id}", patch, ScimNode.Secret, ("If-Match", "W/\"7\""))).Status);
        Assert.Equal(200, (await scim.SendAsync("PATCH", $"/Users/{id}", patch, ScimNode.Secret, ("If-Match", "W/\"1\""))).Status);
        Assert.Equal(412, (await scim.SendAsync("DELETE", $"/Users/{id}", null, ScimNode.Secret, ("If-Match", "W/\"1\""))).Status);
        Assert.Equal(304, (await scim.SendAsync("GET", $"/Users/{id}", null, ScimNode.Secret, ("If-None-Match", "W/\"2\""))).Status);
        Assert.Equal(200, (await scim.SendAsync("GET", $"/Users/{id}", null, ScimNode.Secret, ("If-None-Match", "W/\"1\""))).Status);
        Assert.Equal(204, (await scim.SendAsync("DELETE", $"/Users/{id}", null, ScimNode.Secret, ("If-Match", "*"))).Status);
    }

    [Fact]
    public async Task Replaced_WhatIsNotSaidIsGone_ButNobodyIsLetInAgain()
    {
        await using var scim = await ScimNode.StartAsync();
        var id = await scim.UserAsync("ann", ""","title":"Head","active":false""");
        var user = await scim.OkAsync("PUT", $"/Users/{id}", $$$"""{"schemas":["{{{ScimNode.UserSchema}}}"],"userName":"ann","displayName":"Ann"}""");
        Assert.Null(user["title"]);
        Assert.False((bool)user["active"]!);
        Assert.Equal("Ann", (string?)user["displayName"]);
    }

    [Fact]
    public async Task Discovery_SaysWhatIsThere()
    {
        await using var scim = await ScimNode.StartAsync();
        var config = await scim.OkAsync("GET", "/ServiceProviderConfig");
        Assert.All(["patch", "bulk", "filter", "sort", "etag"], feature => Assert.True((bool)config[feature]!["supported"]!));
        Assert.Equal(["Group", "User"], (await scim.OkAsync("GET", "/ResourceTypes"))["Resources"]!.AsArray().Select(type => (string)type!["name"]!).Order());
        var schemas = (await scim.OkAsync("GET", "/Schemas"))["Resources"]!.AsArray();
        Assert.Equal(3, schemas.Count);
        Assert.True(JsonNode.DeepEquals(schemas[0], await scim.OkAsync("GET", $"/Schemas/{ScimNode.UserSchema}")));
        Assert.Contains(schemas[0]!["attributes"]!.AsArray(), attribute => (string?)attribute!["name"] == "userName" && (string?)attribute["uniqueness"] == "server");
    }

    [Fact]
    public async Task Bulk_ReferencesAreFoundWhereverTheyStand_AndItStopsAfterAsManyErrors()
    {
        await using var scim = await ScimNode.StartAsync();
        const string schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        var answer = await scim.OkAsync("POST", "/Bulk", $$$"""
            {"schemas":["{{{schema}}}"],"Operations":[
              {"method":"POST","path":"/Groups","bulkId":"g","data":{"schemas":["{{{ScimNode.GroupSchema}}}"],"displayName":"Team","members":[{"value":"bulkId:u"}]}},
              {"method":"POST","path":"/Users","bulkId":"u","data":{"schemas":["{{{ScimNode.UserSchema}}}"],"userName":"ann"}},
              {"method":"PATCH","path":"/Users/bulkId:u","data":{"schemas":["{{{ScimNode.PatchSchema}}}"],"Operations":[{"op":"add","path":"title","value":"One"}]}},
              {"method":"POST","path":"/Users","bulkId":"again","data":{"schemas":["{{{ScimNode.UserSchema}}}"],"userName":"ann"}},
              {"method":"DELETE","path":"/Users/nobody"}]}
            """);
        var operations = answer["Operations"]!.AsArray();
        Assert.Equal("201 201 200 409 404", string.Join(' ', operations.OrderBy(one => Array.IndexOf(["g", "u", null, "again"], (string?)one!["bulkId"])).ThenBy(one => (string?)one!["status"]).Select(one => (string)one!["status"]!).Order(Comparer<string>.Create((a, b) => Rank(a) - Rank(b)))));
        Assert.Equal("uniqueness", (string?)operations.First(one => (string?)one!["bulkId"] == "again")!["response"]!["scimType"]);
        var group = (await scim.OkAsync("GET", "/Groups"))["Resources"]![0]!;
        Assert.Equal("ann", (string?)group["members"]![0]!["display"]);
        Assert.Equal(2, (await scim.OkAsync("POST", "/Bulk", $$$"""
            {"schemas":["{{{schema}}}"],"failOnErrors":1,"Operations":[
              {"method":"POST","path":"/Users","bulkId":"a","data":{"schemas":["{{{ScimNode.UserSchema}}}"],"userName":"ben"}},
              {"method":"DELETE","path":"/Users/nobody"},
              {"method":"POST","path":"/Users","bulkId":"b","data":{"schemas":["{{{ScimNode.UserSchema}}}"],"userName":"never"}}]}
            """))["Operations"]!.AsArray().Count);
        Assert.Equal("", await scim.FindAsync("userName eq \"never\""));

        // A circle of references makes nothing, and hangs nobody.
        var circle = await scim.OkAsync("POST", "/Bulk", $$$"""
            {"schemas":["{{{schema}}}"],"Operations":[
              {"method":"POST","path":"/Groups","bulkId":"x","data":{"schemas":["{{{ScimNode.GroupSchema}}}"],"displayName":"X","members":[{"value":"bulkId:y"}]}},
              {"method":"POST","path":"/Groups","bulkId":"y","data":{"schemas":["{{{ScimNode.GroupSchema}}}"],"displayName":"Y","members":[{"value":"bulkId:x"}]}}]}
            """);
        Assert.All(circle["Operations"]!.AsArray(), one => Assert.Equal("400", (string?)one!["status"]));
        var many = string.Join(',', Enumerable.Repeat("""{"method":"DELETE","path":"/Users/nobody"}""", 1_001));
        Assert.Null(await scim.NoAsync(413, "POST", "/Bulk", $$$"""{"schemas":["{{{schema}}}"],"Operations":[{{{many}}}]}"""));

        static int Rank(string status) => Array.IndexOf(["201", "200", "409", "404"], status);
    }

    private static async Task<ScimNode> FilledAsync()
    {
        var scim = await ScimNode.StartAsync();
        await scim.UserAsync("ann", ""","externalId":"X1","title":"Head","name":{"familyName":"Alpha"},"emails":[{"value":"ann@x.org","type":"work"}]""");
        var ben = await scim.UserAsync("ben", string.Create(CultureInfo.InvariantCulture, $$$""","active":false,"nickName":"be","title":"Hand","name":{"familyName":"beta"},"emails":[{"value":"ben@x.org","type":"home"}],"{{{ScimNode.Enterprise}}}":{"department":"Sales","employeeNumber":"7"}"""));
        await scim.UserAsync("al_ex");
        await scim.GroupAsync("Team", ben);
        return scim;
    }
}
