using System.Text;
using System.Text.Json.Nodes;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

public class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{ "b" : 1, "a" : [ true , null, false ] }""", """{"a":[true,null,false],"b":1}""")]
    [InlineData("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\/\"", "\"Aé€😀/\"")]
    [InlineData("\"\\u0000\\u0008\\u0009\\u000a\\u000b\\u000c\\u000d\\u001f\\u007f\\u2028\\\"\\\\\"", "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\u007f\u2028\\\"\\\\\"")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("{}", "{}")]
    [InlineData("""{"":{"":[]}}""", """{"":{"":[]}}""")]
    public void Bytes_OfAnyWriting_AreTheCanonicalOnes(string text, string canonical)
    {
        var bytes = CanonicalJson.Bytes(JsonNode.Parse(text));
        Assert.Equal(canonical, Encoding.UTF8.GetString(bytes));
        Assert.Equal(bytes, CanonicalJson.Bytes(CanonicalJson.Read(bytes)));
    }

    [Fact]
    public void Bytes_MembersBeyondTheBasicPlane_AreOrderedByTheirUtf16Units()
    {
        // U+1F600 is written with the units D83D DE00, which sort before U+FB33 although the code point is larger.
        var node = new JsonObject { ["\ufb33"] = 1, ["\U0001F600"] = 2, ["\u20ac"] = 3, ["1"] = 4 };
        Assert.Equal("{\"1\":4,\"\u20ac\":3,\"\U0001F600\":2,\"\ufb33\":1}", Encoding.UTF8.GetString(CanonicalJson.Bytes(node)));
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("1e3")]
    [InlineData("9223372036854775808")]
    public void Bytes_OfANumberThatIsNotWhole_AreRefused(string number) =>
        Assert.Throws<FormatException>(() => CanonicalJson.Bytes(JsonNode.Parse(number)));

    [Fact]
    public void Bytes_OfHalfASurrogatePair_AreReplacedInATextAndRefusedInAName()
    {
        Assert.Equal("\"a\ufffdb\"", Encoding.UTF8.GetString(CanonicalJson.Bytes(JsonValue.Create("a\ufffdb"))));
        Assert.Contains("a\ufffdb", new Fact(FactKinds.RequestAsked, default, Actor.Operator) { ["reason"] = "a\ud800b" }.Seal(0).Body);
        Assert.Throws<FormatException>(() => CanonicalJson.Bytes(new JsonObject { ["\ud800"] = 1 }));
        Assert.Throws<FormatException>(() => CanonicalJson.Bytes(new JsonObject { ["\udc00\ud800"] = 1 }));
    }

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"b":1,"a":2}""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":-0}""")]
    [InlineData("""{"a":1.0}""")]
    [InlineData("""{"a":1 }""")]
    [InlineData(" {}")]
    [InlineData("{}\n")]
    [InlineData("{}{}")]
    [InlineData("\"\\u0041\"")]
    [InlineData("\"\\u000A\"")]
    [InlineData("\"\\u000a\"")]
    [InlineData("\"\\/\"")]
    [InlineData("\"\\ud800\"")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("[1,]")]
    [InlineData("// c\n1")]
    [InlineData("")]
    public void Read_WhatIsNotCanonical_IsRefused(string text) =>
        Assert.Throws<FormatException>(() => CanonicalJson.Read(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData(new byte[] { (byte)'"', 0xff, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xc0, 0x80, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xed, 0xa0, 0x80, (byte)'"' })]
    [InlineData(new byte[] { 0xef, 0xbb, 0xbf, (byte)'1' })]
    public void Read_BytesThatAreNotUtf8_AreRefused(byte[] bytes) =>
        Assert.Throws<FormatException>(() => CanonicalJson.Read(bytes));

    [Fact]
    public void Read_NestedTooDeep_IsRefused()
    {
        Assert.Throws<FormatException>(() => CanonicalJson.Read(Encoding.UTF8.GetBytes(new string('[', 100) + new string(']', 100))));
        var node = new JsonArray();
        for (var i = 0; i < 100; i++)
        {
            node = [node];
        }

        Assert.Throws<FormatException>(() => CanonicalJson.Bytes(node));
    }

    [Theory]
    [InlineData("2026-11-22T13:00:00.123456Z", true)]
    [InlineData("2026-11-22T13:00:00.123456+00:00", false)]
    [InlineData("2026-11-22T13:00:00.12345Z", false)]
    [InlineData("2026-11-22 13:00:00.123456Z", false)]
    [InlineData("2026-13-22T13:00:00.123456Z", false)]
    [InlineData(" 2026-11-22T13:00:00.123456Z", false)]
    public void Time_InAnyOtherForm_IsNotRead(string text, bool read)
    {
        Assert.Equal(read, CanonicalTime.Read(text) is not null);
        if (read)
        {
            Assert.Equal(text, CanonicalTime.Write(CanonicalTime.Read(text)!.Value));
        }
    }
}
