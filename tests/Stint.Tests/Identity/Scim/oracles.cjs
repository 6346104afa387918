// Answers what two other implementations of SCIM make of patches, filters and resources.
const scimmy = require('scimmy').default ?? require('scimmy');
const { scimPatch } = require('scim-patch');
const { parse, filter } = require('scim2-parse-filter');

const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
scimmy.Schemas.User.extend(scimmy.Schemas.EnterpriseUser);

const copy = value => JSON.parse(JSON.stringify(value));
const bare = resource => {
    const { schemas, id, meta, ...rest } = copy(resource);
    return rest;
};
const tried = act => {
    try {
        return act();
    } catch {
        return 'error';
    }
};
const where = (resources, holds) => resources.map((resource, i) => (holds(resource) ? i : -1)).filter(i => i >= 0).join(' ');

async function main(asked) {
    const patches = [];
    for (const { resource, operations } of asked.patches ?? []) {
        const whole = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE], id: '1', meta: { resourceType: 'User' }, ...resource };
        let other = 'error';
        try {
            const message = new scimmy.Messages.PatchOp({ schemas: [PATCH], Operations: copy(operations) });
            other = bare((await message.apply(new scimmy.Schemas.User(copy(whole), 'out'), async next => next)) ?? whole);
        } catch {
            // It cannot be done there.
        }
        patches.push([tried(() => bare(scimPatch(copy(whole), copy(operations)))), other]);
    }
    const filters = (asked.filters ?? []).map(text => [
        tried(() => where(asked.resources, filter(parse(text)))),
        tried(() => { const found = new scimmy.Types.Filter(text).match(asked.resources); return where(asked.resources, resource => found.includes(resource)); }),
    ]);
    const users = (asked.users ?? []).map(user => tried(() => copy(new scimmy.Schemas.User(copy(user), 'out'))));
    const groups = (asked.groups ?? []).map(group => tried(() => copy(new scimmy.Schemas.Group(copy(group), 'out'))));
    return { patches, filters, users, groups };
}

let input = '';
process.stdin.on('data', part => (input += part)).on('end', async () => process.stdout.write(JSON.stringify(await main(JSON.parse(input)))));
