using System.Net;
using System.Text.RegularExpressions;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>Asking and answering in pages, as a browser without scripts does it.</summary>
public sealed class PagesTests
{
    private const string Markup = "<img src=x onerror=alert(1)>";

    private static string FieldOf(string html, string name) => Regex.Match(html, $"name=\"{name}\" value=\"([^\"]+)\"").Groups[1].Value;

    [Fact]
    public async Task AskAndAnswer_WithPlainForms_FromTheFormToTheTimeLine()
    {
        await using var node = await TestNode.StartAsync();
        using var ann = new Browser(node);
        using var bob = new Browser(node);
        using var eve = new Browser(node);
        await ann.SignInAsync("ann");
        await bob.SignInAsync("bob");
        await eve.SignInAsync("eve");

        // What will come of it is said before it is sent, by rule and by yes.
        Assert.Contains("Approved at once: open it whenever you begin, for 30 min, by the rule read.", (await ann.GetAsync("/request?what=orders-db/read-only")).Text, StringComparison.Ordinal);
        var (_, form) = await ann.GetAsync("/request?what=orders-db/owner");
        Assert.Contains("Needs a yes of bob, for 30 min, by the rule own.", form, StringComparison.Ordinal);
        Assert.Contains("value=\"3600\"", form, StringComparison.Ordinal);
        Assert.DoesNotContain("value=\"7200\"", form, StringComparison.Ordinal);
        var csrf = FieldOf(form, "csrf");
        Assert.Equal(HttpStatusCode.Forbidden, (await ann.PostAsync("/request/preview", ("what", "orders-db/owner"))).Response.StatusCode);
        var (_, preview) = await ann.PostAsync("/request/preview", ("csrf", csrf), ("what", "orders-db/owner"), ("for", "7200"));
        Assert.Contains("It would be denied", preview, StringComparison.Ordinal);
        Assert.StartsWith("<div id=\"decided\"", preview.TrimStart(), StringComparison.Ordinal);

        // Who may not ask for it is told what is told of one that does not exist, by each of the ways.
        var (_, hidden) = await eve.GetAsync("/request?what=orders-db/owner");
        var (_, none) = await eve.GetAsync("/request?what=orders-db/nothing");
        static string Cut(string html) => Regex.Replace(html, "csrf\" value=\"[^\"]+\"|data-[a-z]+=\"[^\"]*\"|hx-headers=\"[^\"]*\"", "");
        Assert.Equal(Cut(hidden).Replace("orders-db/owner", "X", StringComparison.Ordinal), Cut(none).Replace("orders-db/nothing", "X", StringComparison.Ordinal));
        Assert.DoesNotContain("orders-db", (await eve.GetAsync("/home")).Text, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Forbidden, (await ann.PostAsync("/request", ("what", "orders-db/owner"))).Response.StatusCode);
        var (wrong, again) = await ann.PostAsync("/request", ("csrf", csrf), ("what", "orders-db/owner"), ("reason", "kept"), ("start", "tomorrow"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        Assert.Contains(">kept</textarea>", again, StringComparison.Ordinal);
        Assert.Contains("The start is not a day and a time", again, StringComparison.Ordinal);
        var (asked, _) = await ann.PostAsync("/request", ("csrf", csrf), ("what", "orders-db/owner"), ("for", "1800"), ("reason", Markup));
        Assert.Equal(HttpStatusCode.Found, asked.StatusCode);
        var page = asked.Headers.Location!.ToString();
        var id = page["/requests/".Length..];

        // Whoever may answer has it before them; nobody else has it at all.
        var (_, inbox) = await bob.GetAsync("/approvals");
        Assert.Contains("&lt;img src=x onerror=alert(1)&gt;", inbox, StringComparison.Ordinal);
        Assert.DoesNotContain(Markup, inbox, StringComparison.Ordinal);
        Assert.Contains("Nobody else could", inbox, StringComparison.Ordinal);
        Assert.DoesNotContain(id, (await ann.GetAsync("/approvals")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await eve.GetAsync(page)).Response.StatusCode);
        Assert.Contains("waits for bob", (await ann.GetAsync("/home")).Text, StringComparison.Ordinal);

        var (digest, token) = (FieldOf(inbox, "digest"), FieldOf(inbox, "csrf"));
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.PostAsync($"/approve/{id}", ("csrf", token), ("digest", digest))).Response.StatusCode);
        Assert.Equal(HttpStatusCode.Found, (await bob.PostAsync($"/approve/{id}", ("csrf", token), ("digest", digest), ("minutes", "20"), ("comment", "go on"))).Response.StatusCode);
        var (late, lost) = await bob.PostAsync($"/approve/{id}/deny", ("csrf", token), ("digest", digest), ("comment", "no"));
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Contains("It is approved already.", lost, StringComparison.Ordinal);

        // The time line has all of it, for both; the grant waits for its holder to begin.
        foreach (var browser in (Browser[])[ann, bob])
        {
            var (_, line) = await browser.GetAsync(page);
            Assert.Contains("said yes, for 20 min", line, StringComparison.Ordinal);
            Assert.Contains("“go on”", line, StringComparison.Ordinal);
        }

        Assert.Contains("20 min from when you begin", (await ann.GetAsync("/home")).Text, StringComparison.Ordinal);
        Assert.Contains("Revoke", (await bob.GetAsync(page)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Revoke", (await ann.GetAsync(page)).Text, StringComparison.Ordinal);
        Assert.Contains("Ask again for orders-db/owner", (await ann.GetAsync("/request")).Text, StringComparison.Ordinal);
        var grant = Regex.Match((await ann.GetAsync("/home")).Text, "/grants/(gr-[0-9a-z]+)/end").Groups[1].Value;
        Assert.Equal(HttpStatusCode.Found, (await ann.PostAsync($"/grants/{grant}/end", ("csrf", csrf))).Response.StatusCode);
        var (over, told) = await ann.PostAsync($"/grants/{grant}/end", ("csrf", csrf));
        Assert.Equal(HttpStatusCode.Conflict, over.StatusCode);
        Assert.Contains("Somebody was faster", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delegation_MadeAndEndedInThePage_AndWhatIsWrongIsSaid()
    {
        await using var node = await TestNode.StartAsync();
        using var bob = new Browser(node);
        await bob.SignInAsync("bob");
        var csrf = FieldOf((await bob.GetAsync("/approvals")).Text, "csrf");
        var until = TimeProvider.System.GetUtcNow().AddDays(2).ToString("yyyy-MM-ddTHH:mm", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await bob.PostAsync("/approvals/delegations", ("csrf", csrf), ("to", "ann"), ("until", "later"))).Response.StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await bob.PostAsync("/approvals/delegations", ("csrf", csrf), ("to", "bob"), ("until", until))).Response.StatusCode);
        Assert.Equal(HttpStatusCode.Found, (await bob.PostAsync("/approvals/delegations", ("csrf", csrf), ("to", "ann"), ("until", until))).Response.StatusCode);
        var (_, page) = await bob.GetAsync("/approvals");
        Assert.Contains("ann answers for you", page, StringComparison.Ordinal);
        var id = Regex.Match(page, "/approvals/delegations/([^/]+)/end").Groups[1].Value;
        Assert.Equal(HttpStatusCode.Found, (await bob.PostAsync($"/approvals/delegations/{id}/end", ("csrf", csrf))).Response.StatusCode);
        Assert.DoesNotContain("ann answers for you", (await bob.GetAsync("/approvals")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_IsThereForWhoMayReadIt_AndForOwnersAboutWhatTheyOwn()
    {
        await using var node = await TestNode.StartAsync();
        using var ann = new Browser(node);
        using var bob = new Browser(node);
        using var dan = new Browser(node);
        await ann.SignInAsync("ann");
        await bob.SignInAsync("bob");
        await dan.SignInAsync("dan");
        var asked = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", for_seconds = 600, reason = "=HYPERLINK(1)" }, HttpStatusCode.Created);

        // Not in the side bar, and not at its address.
        Assert.DoesNotContain("/audit", (await ann.GetAsync("/home")).Text, StringComparison.Ordinal);
        foreach (var path in (string[])["/audit", "/audit/at?resource=orders-db", "/audit/at?resource=none"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await ann.GetAsync(path)).Response.StatusCode);
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await ann.GetAsync("/audit/facts.csv")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await bob.GetAsync("/audit/facts.csv")).Response.StatusCode);
        var (_, owned) = await bob.GetAsync("/audit");
        Assert.Contains("Look back", owned, StringComparison.Ordinal);
        Assert.DoesNotContain("RequestAsked", owned, StringComparison.Ordinal);
        Assert.Contains("<td>ann</td>", (await bob.GetAsync("/audit/at?resource=orders-db")).Text, StringComparison.Ordinal);

        // An auditor finds a fact by its words, by its kind and by its day; what is no day is not looked for.
        var today = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (query, there) in new[]
        {
            ("", true), ($"?q=ANN+{asked["id"]}", true), ("?kind=RequestAsked", true), ("?kind=RequestDenied", false), ($"?since={today}&until={today}", true), ("?until=2020-01-01", false), ("?since=2099-01-01", false), ("?q=100%25", false),
        })
        {
            Assert.Equal(there, (await dan.GetAsync("/audit" + query)).Text.Contains("<td>RequestAsked</td>", StringComparison.Ordinal));
        }

        var (csv, table) = await dan.GetAsync("/audit/facts.csv?kind=RequestAsked");
        Assert.Equal("text/csv", csv.Content.Headers.ContentType!.MediaType);
        Assert.Equal(2, table.TrimEnd().Split("\r\n").Length);
        Assert.DoesNotContain(",=", table, StringComparison.Ordinal);
        Assert.Contains("AuditExported", (await dan.GetAsync("/audit")).Text, StringComparison.Ordinal);
        var (_, verified) = await dan.PostAsync("/audit/verify", ("csrf", FieldOf((await dan.GetAsync("/audit")).Text, "csrf")));
        Assert.Contains("facts are as they were signed", verified, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_WithNoneYet_SayHowOneComesToBe_AndOnesOfOthersAreNotThere()
    {
        await using var node = await TestNode.StartAsync();
        using var ann = new Browser(node);
        await ann.SignInAsync("ann");
        Assert.Contains("stint connect RESOURCE", (await ann.GetAsync("/sessions")).Text, StringComparison.Ordinal);
        Assert.Contains("You see your own", (await ann.GetAsync("/sessions/statements")).Text, StringComparison.Ordinal);
        Assert.Contains("None.", (await ann.GetAsync("/sessions/statements?table=orders&cursor=x")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await ann.GetAsync("/sessions/ses-000000000000")).Response.StatusCode);
    }
}
