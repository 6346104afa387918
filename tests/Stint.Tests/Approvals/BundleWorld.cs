using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Approvals;

/// <summary>A catalog with a bundle over four systems, and what its tests do with it.</summary>
internal static class BundleWorld
{
    public const string Catalog = """
        people:
          ann: { manager: bob }
          bob: {}
          carol: {}
          dave: {}
          dora: {}
          eve: { manager: bob }
          finn: {}
          hank: {}
          root: {}
        groups:
          developers: [ann, eve]
          vaulters: [eve]
          directors: [finn]
          security: [dave]
        admins: [root]
        on-call:
          web: { zone: UTC, starts: 2026-11-22 00:00, turn: 12h, people: [dave, finn] }
        resources:
          orders-db:
            kind: postgres
            owners: [bob, carol]
            settings: { host: db.internal, database: orders, username: stint, password: { env: ORDERS_DB_PASSWORD } }
            roles:
              read-only: { member_of: [pg_read_all_data] }
              owner: { member_of: [orders_owner], risk: high }
          staging-db:
            kind: postgres
            owners: [dora]
            settings: { host: staging.internal, database: orders, username: stint, password: { env: ORDERS_DB_PASSWORD } }
            roles:
              owner: { member_of: [orders_owner], risk: high }
          vault-db:
            kind: postgres
            owners: [hank]
            settings: { host: vault.internal, database: vault, username: stint, password: { env: ORDERS_DB_PASSWORD } }
            roles:
              secret: { member_of: [vault], risk: high }
        bundles:
          backend-onboarding:
            description: First week in the backend team
            roles: [orders-db/read-only, orders-db/owner, staging-db/owner, vault-db/secret]
            for: 8h
        policies:
          read:
            who: group:developers
            roles: [orders-db/read-only]
            for: { default: 30m, max: 4h }
            approve: { auto: true }
          own-orders:
            who: group:developers
            roles: [orders-db/owner]
            for: { default: 30m, max: 1h }
            approve: { steps: [ { from: owners } ] }
          own-staging:
            who: group:developers
            roles: [staging-db/owner]
            for: { default: 30m, max: 10h }
            approve: { steps: [ { from: owners }, { from: group:security, remind: 20m } ] }
          secrets:
            who: group:vaulters
            roles: [vault-db/secret]
            for: { default: 30m, max: 1h }
            approve: { auto: true }
        """;

    public static readonly SubjectId Dora = new("dora");
    public static readonly SubjectId Finn = new("finn");
    public static readonly SubjectId Hank = new("hank");

    public static async Task<World> WorldAsync(string kind = "sqlite", params (string From, string To)[] changes) =>
        await World.NewAsync(With(changes), store: kind == "postgres" ? (await TestStore.OpenAsync("postgres")).Store : null);

    public static string With(params (string From, string To)[] changes)
    {
        var text = Catalog;
        foreach (var (from, to) in changes)
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        return text;
    }

    public static Task ApplyAsync(World world, params (string From, string To)[] changes) =>
        world.Get<ApplyCatalog>().ApplyAsync(World.Load(With(changes)), Actor.Server, CancellationToken.None);

    public static Task<Outcome<BundleView>> AskAsync(World world, SubjectId? who = null, string name = "backend-onboarding", int? seconds = null, bool wait = false, string? reason = "first week") =>
        world.Get<AskForBundle>().AskAsync(who ?? World.Ann, new AskingTogether(name, seconds, reason, null, null, wait), CancellationToken.None);

    public static async Task<BundleView> AskedAsync(World world, SubjectId? who = null, int? seconds = null, bool wait = false) => Done(await AskAsync(world, who, seconds: seconds, wait: wait));

    public static Task<Outcome<BundleView>> ApproveAsync(World world, SubjectId who, BundleView asked, TimeSpan? shorter = null, string? digest = null) =>
        world.Get<AnswerBundle>().ApproveAsync(who, asked.Asking.Id, new Yes(shorter, null, digest ?? asked.Asking.Digest, "test"), CancellationToken.None);

    public static Task<Outcome<BundleView>> DenyAsync(World world, SubjectId who, BundleView asked) =>
        world.Get<AnswerBundle>().DenyAsync(who, asked.Asking.Id, "not now", null, "test", CancellationToken.None);

    public static Task<Outcome<BundleView>> CancelAsync(World world, SubjectId who, BundleView asked) => world.Get<AnswerBundle>().CancelAsync(who, asked.Asking.Id, CancellationToken.None);

    public static Task<Outcome<BundleView>> FindAsync(World world, SubjectId who, BundleView asked) => world.Get<FindBundles>().GetAsync(who, asked.Asking.Id, CancellationToken.None);

    public static async Task<BundleView> ViewAsync(World world, BundleView asked, SubjectId? who = null) => Done(await FindAsync(world, who ?? World.Ann, asked));

    public static BundleView Done(Outcome<BundleView> outcome) => Assert.IsType<Outcome<BundleView>.Done>(outcome).Value;

    public static RequestView Of(BundleView view, string role) => view.Requests.Single(one => one.Request.Role.ToString() == role);

    /// <summary>The states of its requests, in the bundle's order.</summary>
    public static RequestState[] States(BundleView view) => [.. view.Requests.Select(one => one.Request.State)];

    public static async Task<Grant> BegunAsync(World world, RequestView view)
    {
        var outcome = await world.Get<BeginGrant>().BeginAsync(view.Request.Subject, view.Grant!.Grant.Id, CancellationToken.None);
        Assert.True(outcome is Outcome<GrantView>.Done or Outcome<GrantView>.Refused);
        return await world.GrantAsync(view.Grant.Grant.Id);
    }

    public static async Task LogHoldsAsync(World world)
    {
        var report = await world.Get<VerifyLog>().VerifyAsync(CancellationToken.None);
        Assert.True(report.Holds, string.Join('\n', report.Rows.Select(row => row.Sentence)));
    }
}
