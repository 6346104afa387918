using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>Addresses and networks, as the Kubernetes documentation "CEL in Kubernetes" names and describes them.</summary>
internal static class CelNetFunctions
{
    public static IEnumerable<CelOverload> All()
    {
        yield return Of("ip", Address, (f, a) => CelAddress.Parse(a[0].String)?.ToValue() ?? f.Fail(CelErrorCode.BadValue, CelConstants.NoAddress), CelType.String);
        yield return Of("isIP", Bool, (_, a) => CelValue.From(CelAddress.Parse(a[0].String) is not null), CelType.String);
        yield return Of("ip.isCanonical", Bool, (f, a) => CelAddress.Parse(a[0].String) is { } ip ? CelValue.From(ip.ToString() == a[0].String) : f.Fail(CelErrorCode.BadValue, CelConstants.NoAddress), CelType.String);
        yield return On("family", Int, (_, a) => CelValue.From(Ip(a[0]).IsV6 ? 6L : 4L), Address);
        yield return On("isUnspecified", Bool, (_, a) => CelValue.From(Ip(a[0]).IsUnspecified), Address);
        yield return On("isLoopback", Bool, (_, a) => CelValue.From(Ip(a[0]).IsLoopback), Address);
        yield return On("isLinkLocalMulticast", Bool, (_, a) => CelValue.From(Ip(a[0]).IsLinkLocalMulticast), Address);
        yield return On("isLinkLocalUnicast", Bool, (_, a) => CelValue.From(Ip(a[0]).IsLinkLocalUnicast), Address);
        yield return On("isGlobalUnicast", Bool, (_, a) => CelValue.From(Ip(a[0]).IsGlobalUnicast), Address);

        yield return Of("cidr", Network, (f, a) => CelNetwork.Parse(a[0].String)?.ToValue() ?? f.Fail(CelErrorCode.BadValue, CelConstants.NoNetwork), CelType.String);
        yield return Of("isCIDR", Bool, (_, a) => CelValue.From(CelNetwork.Parse(a[0].String) is not null), CelType.String);
        yield return On("containsIP", Bool, (_, a) => CelValue.From(Net(a[0]).Contains(Ip(a[1]))), Network, Address);
        yield return On("containsIP", Bool, (f, a) => CelAddress.Parse(a[1].String) is { } ip ? CelValue.From(Net(a[0]).Contains(ip)) : f.Fail(CelErrorCode.BadValue, CelConstants.NoAddress), Network, CelType.String);
        yield return On("containsCIDR", Bool, (_, a) => CelValue.From(Net(a[0]).Contains(Net(a[1]))), Network, Network);
        yield return On("containsCIDR", Bool, (f, a) => CelNetwork.Parse(a[1].String) is { } net ? CelValue.From(Net(a[0]).Contains(net)) : f.Fail(CelErrorCode.BadValue, CelConstants.NoNetwork), Network, CelType.String);
        yield return On("ip", Address, (_, a) => Net(a[0]).Address.ToValue(), Network);
        yield return On("masked", Network, (_, a) => new CelNetwork(Net(a[0]).First, Net(a[0]).Prefix).ToValue(), Network);
        yield return On("prefixLength", Int, (_, a) => CelValue.From((long)Net(a[0]).Prefix), Network);
    }

    private static CelAddress Ip(in CelValue value) => (CelAddress)value.Ref!;

    private static CelNetwork Net(in CelValue value) => (CelNetwork)value.Ref!;
}
