using System.Globalization;
using System.Xml.Linq;
using Stint.Core.Policies;

namespace Stint.Cli;

/// <summary>Results of a catalog's tests as CI systems read them: the XML that JUnit's runner made common.</summary>
internal static class JUnit
{
    public static string Of(TestReport report)
    {
        var failed = report.Results.Count(result => result.Differences.Count > 0);
        var suite = new XElement(
            "testsuite",
            new XAttribute("name", "catalog"),
            Count("tests", report.Results.Count),
            Count("failures", failed),
            Count("errors", 0),
            Count("skipped", 0),
            report.Results.Select(Case));
        return new XDocument(new XDeclaration("1.0", "utf-8", null), new XElement("testsuites", Count("tests", report.Results.Count), Count("failures", failed), suite)).ToString() + "\n";
    }

    private static XElement Case(TestResult result)
    {
        var one = new XElement(
            "testcase",
            new XAttribute("classname", result.Test.Place.File),
            new XAttribute("name", result.Test.Name),
            new XAttribute("file", result.Test.Place.File),
            Count("line", result.Test.Place.Line));
        if (result.Differences.Count > 0)
        {
            one.Add(new XElement("failure", new XAttribute("message", result.Differences[0]), string.Join('\n', result.Differences)));
        }

        return one;
    }

    private static XAttribute Count(string name, int count) => new(name, count.ToString(CultureInfo.InvariantCulture));
}
