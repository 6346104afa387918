// What of GitHub Enterprise Server signing in needs, for a test: node github.mjs PORT. Whoever comes is ann, of acme.
import { createServer } from 'node:http';

createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://here');
    if (pathname === '/login/oauth/authorize') {
        response.writeHead(302, { location: `${searchParams.get('redirect_uri')}?${new URLSearchParams({ code: 'one', state: searchParams.get('state') })}` }).end();
        return;
    }

    const answers = {
        '/login/oauth/access_token': { access_token: 'of-a-test', token_type: 'bearer', scope: 'read:user' },
        '/api/v3/user': { id: 1, login: 'ann' },
        '/api/v3/user/memberships/orgs/acme': { state: 'active', organization: { login: 'acme' } },
    };
    response.writeHead(answers[pathname] ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answers[pathname] ?? {}));
}).listen(Number(process.argv[2]), '127.0.0.1');
