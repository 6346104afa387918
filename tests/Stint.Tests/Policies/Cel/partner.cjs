// Evaluates expressions with @bufbuild/cel: reads {"inputs": {name: value}, "sources": [text]} from standard input, prints one
// outcome a source as a JSON array. A value is written as [kind, value], so that an int and a double of the same number differ.
const { run, celUint, isCelUint, isCelError, isCelList, isCelMap, isCelType } = require("@bufbuild/cel");
const { strings } = require("@bufbuild/cel/ext");

function read([kind, value]) {
    switch (kind) {
        case "int": return BigInt(value);
        case "uint": return celUint(BigInt(value));
        case "double": return Number(value);
        case "list": return value.map(read);
        case "map": return new Map(value.map(([k, v]) => [read(k), read(v)]));
        default: return value;
    }
}

function write(value) {
    if (value === null) return ["null", null];
    if (typeof value === "boolean") return ["bool", value];
    if (typeof value === "bigint") return ["int", value.toString()];
    if (typeof value === "number") return ["double", Object.is(value, -0) ? "-0" : String(value)];
    if (typeof value === "string") return value.isWellFormed() ? ["string", value] : ["other", "half a character"];
    if (value instanceof Uint8Array) return ["bytes", Buffer.from(value).toString("base64")];
    if (isCelUint(value)) return ["uint", value.value.toString()];
    if (isCelList(value)) return ["list", [...value].map(write)];
    if (isCelMap(value)) return ["map", [...value.entries()].map(([k, v]) => [write(k), write(v)]).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))];
    if (isCelType(value)) return ["type", value.name];
    if (value.desc?.typeName === "google.protobuf.Duration") return ["duration", (value.message.seconds * 1000000000n + BigInt(value.message.nanos)).toString()];
    if (value.desc?.typeName === "google.protobuf.Timestamp") return ["timestamp", (value.message.seconds * 1000000000n + BigInt(value.message.nanos)).toString()];
    return ["other", String(value)];
}

const { inputs, sources } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const bindings = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, read(value)]));
const options = { funcs: strings.funcs ?? strings };
process.stdout.write(JSON.stringify(sources.map((source) => {
    try {
        const value = run(source, bindings, options);
        return isCelError(value) ? ["error", value.message] : write(value);
    } catch (error) {
        return ["error", String(error.message)];
    }
})));
