// Prints the official cases of @bufbuild/cel-spec as one JSON array, flattened. NODE_PATH names the folder of the npm packages.
const { tests } = require("@bufbuild/cel-spec/testdata/conformance.js");

const flat = [];
function walk(suite, path) {
    for (const { original } of suite.tests ?? []) {
        flat.push({ suite: path.join("/"), ...original });
    }
    for (const inner of suite.suites ?? []) {
        walk(inner, [...path, inner.name]);
    }
}
walk(tests, []);
process.stdout.write(JSON.stringify(flat));
