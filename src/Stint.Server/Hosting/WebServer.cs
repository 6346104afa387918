using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Stint.Server.Api;
using Stint.Server.Identity;
using Stint.Server.Identity.Scim;
using Stint.Server.Nodes;
using Stint.Server.Web;

namespace Stint.Server.Hosting;

/// <summary>The door of the API: Kestrel, and what every call goes through in order.</summary>
internal static class WebServer
{
    /// <summary>Builds the web server; it listens once started.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="certificate">What it shows; null for plain HTTP.</param>
    /// <param name="fill">Adds what the endpoints need.</param>
    public static WebApplication Build(ServerOptions options, CertificateHolder? certificate, Action<IServiceCollection> fill)
    {
        // NB. The empty builder reads no appsettings.json and no ASPNETCORE_ variables: what is configured is what was checked.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "stint" });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Tune(kestrel, options, certificate));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<RouteHandlerOptions>(handler => handler.ThrowOnBadRequest = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.ConfigureHttpJsonOptions(json => ApiJson.Apply(json.SerializerOptions));
        builder.Services.AddStintOpenApi();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        fill(builder.Services);

        var app = builder.Build();
        if (options.Web.BehindProxy.Count > 0)
        {
            app.Use((context, next) =>
            {
                context.Features.Set(new DirectPeer(context.Connection.RemoteIpAddress));
                return next(context);
            });
            app.UseForwardedHeaders(Forwarded(options));
        }

        app.UseMiddleware<Answering>();
        app.Use(AuthzenContent.RefuseOthersAsync);
        app.UseRouting();
        app.Use(Tracing.TraceAsync);
        app.UseMiddleware<Bearer>();
        app.Use(CatalogSized.RaiseAsync);
        app.Use(KeyedCall.ReadAsync);
        HealthEndpoints.Map(app);
        CertificateEndpoints.MapOpen(app);
        FrontPage.Map(app);
        ReplayPage.Map(app);
        Assets.Map(app);
        SignInPages.Map(app);
        if (options.Providers.Count > 0)
        {
            ProviderPages.Map(app);
        }

        app.MapOpenApi("/openapi/{documentName}.json").WithMetadata(Identity.Open.Instance);
        ApiRoutes.Map(app.MapGroup("/api/v1"));
        AuthzenEndpoints.Map(app);
        OAuthEndpoints.Map(app);
        CommandLinePages.Map(app);
        if (options.ScimTokens.Count > 0)
        {
            ScimEndpoints.Map(app);
        }

        if (options.Transmitters.Count > 0)
        {
            SignalEndpoints.Map(app);
        }

        if (options.Nodes.Count > 0)
        {
            NodeEndpoints.Map(app);
        }

        return app;
    }

    /// <summary>Where it listens, with the port that was taken.</summary>
    public static Uri AddressOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    private static void Tune(KestrelServerOptions kestrel, ServerOptions options, CertificateHolder? certificate)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.Limits.BodyBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
        kestrel.Limits.MaxRequestHeaderCount = 50;
        kestrel.Limits.MaxRequestLineSize = 8 << 10;
        kestrel.Limits.MaxConcurrentConnections = 4_096;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        kestrel.Listen(options.Web.Listen, listen =>
        {
            if (certificate is null)
            {
                listen.Protocols = HttpProtocols.Http1;
                return;
            }

            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                // NB. Asked at each handshake, so that a replaced certificate counts from the next client on.
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Context }),
                HandshakeTimeout = TimeSpan.FromSeconds(10),
            });
        });
    }

    private static ForwardedHeadersOptions Forwarded(ServerOptions options)
    {
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            ForwardLimit = null,
        };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (var network in options.Web.BehindProxy)
        {
            forwarded.KnownIPNetworks.Add(network);
        }

        return forwarded;
    }
}

/// <summary>Leaves signals to <see cref="ServerNode"/>: it drains before the web server stops.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
