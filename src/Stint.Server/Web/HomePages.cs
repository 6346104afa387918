using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Api;
using Stint.Server.Grants;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Nodes;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>What somebody has, may ask for and is waited for with; and what they do with a grant of theirs.</summary>
internal sealed class HomePages(
    MarkPages marks, FindGrants grants, FindRequests requests, FindRoles roles, BeginGrant begin, EndGrant end, RevokeGrant revoke, MintLogin mint, GatewayDoor own, NodeLinks links)
{
    /// <summary>Most roles of one page; whoever looks for another types.</summary>
    private const int MostRoles = 48;

    private static readonly GrantState[] s_had = [GrantState.Ready, GrantState.Opening, GrantState.Open, GrantState.Closing];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/home", (HttpContext context, Caller caller, HomePages pages, string? q) => pages.HomeAsync(context, caller, q)).Page();
        routes.MapPost("/grants/{id}/begin", (HttpContext context, Caller caller, HomePages pages, string id) => pages.BeginAsync(context, caller, new GrantId(id))).Page();
        routes.MapPost("/grants/{id}/end", (HttpContext context, Caller caller, HomePages pages, string id) => pages.EndAsync(context, caller, new GrantId(id))).Page();
        routes.MapPost("/grants/{id}/revoke", (HttpContext context, Caller caller, HomePages pages, string id) => pages.RevokeAsync(context, caller, new GrantId(id))).Page();
        routes.MapPost("/grants/{id}/way-in", (HttpContext context, Caller caller, HomePages pages, string id) => pages.WayInAsync(context, caller, new GrantId(id))).Page();
    }

    /// <summary>A grant as a page shows it.</summary>
    public static ShownGrant Shown(GrantView view)
    {
        var grant = view.Grant;
        return new ShownGrant(
            grant.Id.Value,
            grant.Request.Value,
            grant.Role.ToString(),
            grant.Role.Resource,
            Words.Grant[grant.State],
            Sentences.Span(grant.For),
            grant.NotBefore,
            grant.NotAfter,
            grant.StartAt,
            grant.LapsesAt,
            view.Trouble ?? "",
            view.Kind is { } kind && Upstreams.Carries(kind),
            view.Guarantee switch
            {
                Guarantee.Native => "the target ends it by itself, even when Stint is down",
                Guarantee.Gateway => "only the gateway leads there, and it ends it",
                Guarantee.Job => "Stint takes it away when it is over",
                _ => "",
            });
    }

    /// <summary>A request in a list as a page shows it.</summary>
    public static ShownAsking Listed(RequestView view) => new(
        view.Request.Id.Value,
        view.Request.Subject.Value,
        view.Request.Role.ToString(),
        Sentences.Span(view.Request.For),
        view.Request.Reason,
        Words.Request[view.Request.State],
        view.Request.AskedAt,
        view.Request.State switch
        {
            RequestState.Pending when view.Offers.Any(offer => offer.State == Core.Approvals.OfferState.Open) => "you were offered something else: look at it",
            RequestState.Pending => $"waits for {Names([.. view.Steps.Where(step => step.State == StepState.Open).SelectMany(step => step.Could).Distinct()])}",
            _ => view.Request.Why ?? "",
        });

    /// <summary>Some names, and how many more there are.</summary>
    public static string Names(IReadOnlyList<SubjectId> people) => people.Count switch
    {
        0 => "nobody who could answer",
        <= 3 => string.Join(", ", people),
        _ => $"{string.Join(", ", people.Take(2))} and {people.Count - 2} others",
    };

    private async Task<IResult> HomeAsync(HttpContext context, Caller caller, string? q)
    {
        var cancellation = context.RequestAborted;
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(), cancellation);
        var had = await grants.ListAsync(caller.Id, new GrantQuery { Mine = true, States = s_had }, null, new Page(50), cancellation);
        var asked = await requests.ListAsync(caller.Id, new RequestQuery { Mine = true, State = RequestState.Pending }, new Page(20), cancellation);
        var awaiting = reader.Waiting == 0 ? null : await requests.ListAsync(caller.Id, new RequestQuery { AwaitingMe = true, State = RequestState.Pending }, new Page(5), cancellation);
        var usual = (await roles.UsualAsync(caller.Id, cancellation)).Index().ToDictionary(one => one.Item, one => one.Index);
        var offers = (await roles.ListAsync(caller.Id, q, cancellation)).OrderBy(offer => usual.GetValueOrDefault(offer.Role.Ref, int.MaxValue)).ToList();
        return PageResult.Of<Home>(new Dictionary<string, object?>
        {
            [nameof(Home.Reader)] = reader,
            [nameof(Home.Grants)] = had.Items.Select(Shown).OrderBy(one => one.NotAfter ?? DateTimeOffset.MaxValue).ToList(),
            [nameof(Home.Asked)] = asked.Items.Select(Listed).ToList(),
            [nameof(Home.Awaiting)] = (awaiting?.Items ?? []).Select(Listed).ToList(),
            [nameof(Home.Sought)] = q ?? "",
            [nameof(Home.Roles)] = offers.Take(MostRoles).Select(offer => Shown(offer, usual.ContainsKey(offer.Role.Ref))).ToList(),
            [nameof(Home.More)] = Math.Max(0, offers.Count - MostRoles),
            [nameof(Home.MayAsk)] = offers.Count > 0 || !string.IsNullOrWhiteSpace(q),
        });
    }

    private static ShownRole Shown(RoleOffer offer, bool usual) => new(
        offer.Role.Ref.ToString(),
        offer.Role.Description.Length > 0 ? offer.Role.Description : offer.Resource.Description,
        offer.OnlyBreakGlass
            ? "in an emergency only: stint break-glass"
            : $"up to {Sentences.Span(offer.Max)}, {(offer.NeedsApproval ? "with somebody's yes" : "opens at once")}{(offer.StatementsRequired ? ", for exact statements" : "")}",
        offer.Role.Risk == "high" ? "high risk" : "",
        usual,
        offer.Held is not null);

    private async Task<IResult> BeginAsync(HttpContext context, Caller caller, GrantId id) =>
        await LedAsync(context, caller, await begin.BeginAsync(caller.Id, id, context.RequestAborted));

    private async Task<IResult> EndAsync(HttpContext context, Caller caller, GrantId id) =>
        await LedAsync(context, caller, await end.EndAsync(caller.Id, id, context.RequestAborted));

    private async Task<IResult> RevokeAsync(HttpContext context, Caller caller, GrantId id)
    {
        var fields = await Fields.ReadAsync(context);
        return await revoke.RevokeAsync(caller.Id, id, fields["comment"], targetGone: false, context.RequestAborted) switch
        {
            Outcome<GrantView>.Done { Value.Grant.Request: var request } => Results.Redirect($"/requests/{request}"),
            var no => Told.Of(await ReaderAsync(context, caller), no, "/home"),
        };
    }

    private async Task<IResult> WayInAsync(HttpContext context, Caller caller, GrantId id)
    {
        var reader = await ReaderAsync(context, caller);
        if ((own.IsOpen ? DoorShape.Of(own) : links.AnyDoor) is not { } door)
        {
            return Told.Trouble(reader, "Not now", "This node carries no sessions, and no gateway is linked to it.", "Whoever runs Stint can start a gateway.", 409);
        }

        var outcome = await mint.MintAsync(caller.Id, id, context.RequestAborted);
        if (outcome is not Outcome<MintedLogin>.Done { Value: var minted })
        {
            return Told.Of(reader, outcome, "/home");
        }

        var login = GrantEndpoints.Shape(minted, door);
        return PageResult.Of<WayIn>(new Dictionary<string, object?>
        {
            [nameof(WayIn.Reader)] = reader,
            [nameof(WayIn.Role)] = minted.Grant.Role.ToString(),
            [nameof(WayIn.Dsn)] = login.Dsn,
            [nameof(WayIn.Login)] = login.Login,
            [nameof(WayIn.Secret)] = login.Secret,
            [nameof(WayIn.Host)] = login.Host,
            [nameof(WayIn.Port)] = login.Port,
            [nameof(WayIn.Database)] = login.Database ?? "",
            [nameof(WayIn.SslMode)] = login.Tls == "disable" ? "disable" : "require",
            [nameof(WayIn.NotAfter)] = minted.Grant.NotAfter!.Value,
        });
    }

    private async Task<IResult> LedAsync(HttpContext context, Caller caller, Outcome<GrantView> outcome) =>
        outcome is Outcome<GrantView>.Done ? Results.Redirect("/home") : Told.Of(await ReaderAsync(context, caller), outcome, "/home");

    private Task<Reader> ReaderAsync(HttpContext context, Caller caller) => Reader.OfAsync(caller, marks, new PageFocus(), context.RequestAborted);
}
