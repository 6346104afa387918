// What other engines take for one decision over a thousand policies: node peers.cjs cedar|casbin TIMES prints nanoseconds.
const which = process.argv[2];
const policies = 1000, times = Number(process.argv[3]);
async function casbin() {
    const { newEnforcer, newModelFromString, StringAdapter } = require("casbin");
    const model = newModelFromString(`
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act
`);
    const lines = [];
    for (let i = 0; i < policies; i++) lines.push(`p, g${i}, db${i}-*, read`, `g, p${i}, g${i}`);
    const enforcer = await newEnforcer(model, new StringAdapter(lines.join("\n")));
    return () => enforcer.enforceSync("p500", "db500-3", "read");
}
function cedar() {
    const cedar = require("@cedar-policy/cedar-wasm/nodejs");
    let text = "";
    for (let i = 0; i < policies; i++) text += `permit(principal in Group::"g${i}", action == Action::"read", resource in System::"db${i}") when { resource.env == "prod" };\n`;
    const parsed = cedar.preparsePolicySet("all", { staticPolicies: text });
    if (parsed.type !== "success") throw new Error(JSON.stringify(parsed));
    const id = (type, id) => ({ type, id });
    const call = {
        principal: id("Person", "p500"), action: id("Action", "read"), resource: id("Database", "db500-3"), context: {},
        preparsedPolicySetId: "all", preparsedSchemaName: null, validateRequest: false,
        entities: [
            { uid: id("Person", "p500"), attrs: {}, parents: [id("Group", "g500")] },
            { uid: id("Group", "g500"), attrs: {}, parents: [] },
            { uid: id("Database", "db500-3"), attrs: { env: "prod" }, parents: [id("System", "db500")] },
            { uid: id("System", "db500"), attrs: {}, parents: [] },
        ],
    };
    return () => { const a = cedar.statefulIsAuthorized(call); if (a.type !== "success") throw new Error(JSON.stringify(a)); return a.response.decision === "allow"; };
}
(async () => {
    const decide = which === "cedar" ? cedar() : await casbin();
    let allowed = 0;
    for (let i = 0; i < times / 5; i++) allowed += decide() ? 1 : 0;
    const began = process.hrtime.bigint();
    for (let i = 0; i < times; i++) allowed += decide() ? 1 : 0;
    const took = process.hrtime.bigint() - began;
    if (allowed !== times + times / 5) throw new Error("not allowed");
    console.log(Number(took) / times);
})();
