using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Policies;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>Where somebody asks, and sees what will come of it before they do.</summary>
internal sealed class AskPages(MarkPages marks, FindRoles roles, FindBundles bundles, FindRequests requests, SaveRequests saved, AskForRole ask, AskForBundle askTogether)
{
    /// <summary>Most names that are proposed while somebody types; whoever means another types it whole.</summary>
    private const int MostProposed = 300;

    private static readonly TimeSpan[] s_lengths =
    [
        TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromHours(8),
        TimeSpan.FromHours(24), TimeSpan.FromDays(3), TimeSpan.FromDays(7), TimeSpan.FromDays(30),
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/request", (HttpContext context, Caller caller, AskPages pages) => pages.FormAsync(context, caller, AskForm.Of(name => context.Request.Query[name] is [{ Length: <= 4_000 } one] ? one : ""))).Page();
        routes.MapPost("/request/preview", (HttpContext context, Caller caller, AskPages pages) => pages.PreviewAsync(context, caller)).Page();
        routes.MapPost("/request", (HttpContext context, Caller caller, AskPages pages) => pages.AskAsync(context, caller)).Page();
    }

    private async Task<IResult> FormAsync(HttpContext context, Caller caller, AskForm form, ShownDecision? decided = null, int status = 200)
    {
        var cancellation = context.RequestAborted;
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(), cancellation);
        var offers = await roles.ListAsync(caller.Id, null, cancellation);
        var usual = (await roles.UsualAsync(caller.Id, cancellation)).Index().ToDictionary(one => one.Item, one => one.Index);
        var together = bundles.List(caller.Id);
        var offer = offers.FirstOrDefault(one => one.Role.Ref.ToString() == form.What);
        var bundle = together.FirstOrDefault(one => one.Bundle.Name == form.What);
        return PageResult.Of<Ask>(
            new Dictionary<string, object?>
            {
                [nameof(Ask.Reader)] = reader,
                [nameof(Ask.What)] = form.What,
                [nameof(Ask.Names)] = offers.OrderBy(one => usual.GetValueOrDefault(one.Role.Ref, int.MaxValue)).Take(MostProposed).Select(one => new ShownLink(one.Role.Ref.ToString(), one.Role.Description))
                    .Concat(together.Select(one => new ShownLink(one.Bundle.Name, $"a bundle of {one.Roles.Count}: {string.Join(", ", one.Roles.Select(role => role.Role))}")))
                    .ToList(),
                [nameof(Ask.Found)] = offer is not null || bundle is not null,
                [nameof(Ask.About)] = offer is not null ? About(offer) : bundle is not null ? $"{bundle.Bundle.Name}: {string.Join(", ", bundle.Roles.Select(role => role.Role))}. Each is decided by its own policies; one answer counts for all that need one." : "",
                [nameof(Ask.Lengths)] = LengthsOf(offer?.Max ?? bundle?.Roles.Max(role => role.Max), offer?.Default ?? bundle?.Roles.Max(role => role.Default), form.For),
                [nameof(Ask.Reason)] = form.Reason,
                [nameof(Ask.ReasonRequired)] = offer?.ReasonRequired ?? bundle?.Roles.Any(role => role.ReasonRequired) ?? false,
                [nameof(Ask.Ticket)] = form.Ticket,
                [nameof(Ask.TicketRequired)] = (offer?.TicketPatterns ?? bundle?.Roles.SelectMany(role => role.TicketPatterns).ToList() ?? []).Count > 0,
                [nameof(Ask.Start)] = form.Start,
                [nameof(Ask.AtOnce)] = form.AtOnce,
                [nameof(Ask.Extends)] = form.Extends,
                [nameof(Ask.MayBreakGlass)] = offer is { BreakGlass: true } && form.Extends.Length == 0,
                [nameof(Ask.Emergency)] = form.Emergency || offer is { OnlyBreakGlass: true },
                [nameof(Ask.AtTerminal)] = offer is { StatementsRequired: true } ? $"stint request {offer.Role.Ref} --statement 'SQL'" : "",
                [nameof(Ask.Decided)] = decided ?? (offer is not null || bundle is not null ? await DecideAsync(caller, form, cancellation) : null),
                [nameof(Ask.Again)] = form.What.Length > 0 ? [] : (await saved.LatelyAsync(caller.Id, cancellation))
                    .Select(one => new ShownAgain(one.Asked!, one.ForSeconds, one.Reason ?? "", one.Ticket ?? "", one.ForSeconds is { } seconds ? Sentences.Span(TimeSpan.FromSeconds(seconds)) : ""))
                    .ToList(),
            },
            status);
    }

    private async Task<IResult> PreviewAsync(HttpContext context, Caller caller)
    {
        var fields = await Fields.ReadAsync(context);
        return PageResult.Of<Decided>(new Dictionary<string, object?> { [nameof(Pages.Decided.Said)] = await DecideAsync(caller, AskForm.Of(name => fields[name]), context.RequestAborted) });
    }

    private async Task<IResult> AskAsync(HttpContext context, Caller caller)
    {
        var fields = await Fields.ReadAsync(context);
        var form = AskForm.Of(name => fields[name]);
        if (form.Unreadable is { } unreadable)
        {
            return await FormAsync(context, caller, form, new ShownDecision("bad", unreadable, []), 422);
        }

        if (form.IsBundle)
        {
            return await askTogether.AskAsync(caller.Id, form.ToAskingTogether(), context.RequestAborted) switch
            {
                Outcome<BundleView>.Done { Value.Requests: [var first, ..] } => Results.Redirect($"/requests/{first.Request.Id}"),
                var no => await FormAsync(context, caller, form, Wrong(no), 422),
            };
        }

        return await ask.AskAsync(caller.Id, form.ToAsking(), context.RequestAborted) switch
        {
            Outcome<RequestView>.Done { Value: var asked } => Results.Redirect($"/requests/{asked.Request.Id}"),
            var no => await FormAsync(context, caller, form, Wrong(no), 422),
        };
    }

    /// <summary>What would come of it now, by the same use case that asks.</summary>
    private async Task<ShownDecision?> DecideAsync(Caller caller, AskForm form, CancellationToken cancellation)
    {
        if (form.What.Length == 0)
        {
            return null;
        }

        if (form.Unreadable is { } unreadable)
        {
            return new ShownDecision("bad", unreadable, []);
        }

        if (form.IsBundle)
        {
            return await askTogether.PreviewAsync(caller.Id, form.ToAskingTogether(), cancellation) is var together && together is Outcome<BundlePreview>.Done { Value: var bundle }
                ? new ShownDecision(bundle.Verdict.Needs is null ? "good" : "warn", bundle.Verdict.Needs is { } needs ? $"Some of it needs somebody's yes: {Steps(needs.Steps)}." : "Decided by rule, each role by its own.", [.. bundle.Verdict.Roles.Select(one => $"{one.Role}: {(one.Verdict is Verdict.Allow ? "opens at once" : one.Verdict is Verdict.Deny no ? $"no, {no.Because}" : "with that yes")}")])
                : Wrong(together);
        }

        var outcome = await ask.PreviewAsync(caller.Id, form.ToAsking(), cancellation);
        if (outcome is not Outcome<AskPreview>.Done { Value.Verdict: var verdict })
        {
            return Wrong(outcome);
        }

        switch (verdict)
        {
            case Verdict.Allow allow:
                return new ShownDecision(
                    "good",
                    $"{(form.AtOnce ? "Opens at once" : "Approved at once: open it whenever you begin")}, for {Sentences.Span(allow.Terms.For)}, by the rule {string.Join(", ", allow.DecidedBy)}.",
                    [.. Calendar(allow.Terms), .. allow.Glass is { } glass ? new[] { $"It is an emergency: {string.Join(", ", glass.Told)} are told now, every statement is recorded, and it is reviewed within {Sentences.Span(glass.Within)}." } : []]);
            case Verdict.NeedsApproval needs:
                var usually = RoleRef.Parse(form.What) is { } role ? await requests.UsualAnswerAsync(caller.Id, role, cancellation) : null;
                return new ShownDecision(
                    "warn",
                    $"Needs {Steps(needs.Steps)}, for {Sentences.Span(needs.Terms.For)}, by the rule {string.Join(", ", needs.DecidedBy)}.",
                    [.. usually is { } time ? [$"Usually answered in {Sentences.Span(Rounded(time))}."] : Array.Empty<string>(), .. Calendar(needs.Terms)]);
            case Verdict.Deny deny:
                return new ShownDecision("bad", $"It would be denied: {Told.Sentence(deny.Because)}", [.. deny.TraceForAsker.Where(line => line.Remedy is not null).Select(line => Told.Sentence(line.Remedy!)).Distinct()]);
            default:
                throw new InvalidOperationException("A verdict is one of three.");
        }
    }

    private static ShownDecision Wrong<T>(Outcome<T> outcome) => outcome switch
    {
        Outcome<T>.NotFound => new ShownDecision("bad", "There is no such role or bundle, or none that you may ask for.", ["Take one that is proposed as you type, or look at what you may ask for on the page Home."]),
        Outcome<T>.Invalid wrong => new ShownDecision("bad", "That cannot be asked as it stands.", [.. wrong.Problems.Select(problem => Told.Sentence(problem.Message))]),
        Outcome<T>.Refused no => new ShownDecision("bad", Told.Sentence(no.Why), no.Remedy is { } remedy ? [Told.Sentence(remedy)] : []),
        Outcome<T>.NotYours no => new ShownDecision("bad", Told.Sentence(no.Why), []),
        Outcome<T>.LostRace lost => new ShownDecision("bad", Told.Sentence(lost.Why), []),
        _ => throw new InvalidOperationException("What is well is not wrong."),
    };

    private static string Steps(IReadOnlyList<Core.Approvals.PinnedStep> steps) =>
        string.Join(", then ", steps.Select(step => $"{(step.Need == 1 ? "a yes" : $"{step.Need} yeses")} of {(step.Approvers.Count > 1 ? "one of " : "")}{HomePages.Names(step.Approvers)}"));

    private static IEnumerable<string> Calendar(Terms terms)
    {
        if (terms.OpensFrom is { } from)
        {
            yield return $"The calendar opens it from {Sentences.Day(from)} on.";
        }

        if (terms.EndsBy is { } by)
        {
            yield return $"The calendar ends it at {Sentences.Day(by)} at the latest.";
        }
    }

    private static TimeSpan Rounded(TimeSpan time) => time < TimeSpan.FromMinutes(1) ? TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds)) : TimeSpan.FromMinutes(Math.Round(time.TotalMinutes));

    private static string About(RoleOffer offer) => string.Join(" ", new[]
    {
        (offer.Role.Description.Length > 0 ? offer.Role.Description : offer.Resource.Description) is { Length: > 0 } what ? Told.Sentence(what) : "",
        $"Up to {Sentences.Span(offer.Max)}.",
        offer.Conditions.Count > 0 ? $"Only when {string.Join(" and ", offer.Conditions)}." : "",
    }.Where(text => text.Length > 0));

    private static List<ShownLength> LengthsOf(TimeSpan? max, TimeSpan? usual, string chosen)
    {
        if (max is not { } most)
        {
            return [];
        }

        var wished = long.TryParse(chosen, out var seconds) ? seconds : (long)(usual ?? most).TotalSeconds;
        return
        [
            .. s_lengths.Where(length => length <= most).Append(usual ?? most).Append(most).Append(TimeSpan.FromSeconds(Math.Clamp(wished, 1, (long)most.TotalSeconds)))
                .Distinct().Order().Select(length => new ShownLength((long)length.TotalSeconds, Sentences.Span(length), (long)length.TotalSeconds == wished)),
        ];
    }
}
