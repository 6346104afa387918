// A real OpenID Connect provider for a test: node oidc-provider.mjs MODULES PORT STINT_ADDRESS NAME[,NAME…]
// Its own pages ask for a name and any password.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { generateKeyPairSync } from 'node:crypto';

const [modules, port, stint, all] = process.argv.slice(2);
const names = all.split(',');
const { default: Provider } = await import(pathToFileURL(path.join(modules, 'oidc-provider/lib/index.js')));

const key = (kid) => ({ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' });

const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{
        client_id: 'stint',
        client_secret: process.env.CLIENT_SECRET,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: names.map(name => `${stint}/sign-in/${name}/callback`),
        post_logout_redirect_uris: [`${stint}/sign-in`],
        backchannel_logout_uri: `${stint}/sign-in/${names[0]}/logout`,
        backchannel_logout_session_required: true,
    }],
    jwks: { keys: [key('one')] },
    cookies: { keys: ['of a test'] },
    // It calls nobody on its own machine, unless asked to.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    pkce: { required: () => true },
    features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true }, devInteractions: { enabled: true } },
    // With several names it says in the ID token what Entra ID and Google say there.
    conformIdTokenClaims: names.length === 1,
    claims: { openid: ['sub', 'tid', 'hd'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, tid: '00000000-0000-4000-8000-000000000001', hd: 'example.com', preferred_username: id, email: `${id}@example.com`, email_verified: true }) }),
});
provider.on('server_error', (_, error) => console.error(error));
provider.on('backchannel.error', (_, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
