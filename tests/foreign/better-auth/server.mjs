#!/usr/bin/env node
// The npm package better-auth with its OAuth provider, in memory, on loopback, for one test run.
//
// Prints {"issuer", "pid", "client_id"} when it listens. Ends when its stdin closes.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import {
  oauthDeviceAuthorization, oauthProvider, oauthProviderAuthServerMetadata, oauthProviderOpenIdConfigMetadata,
} from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';

const USER = { email: 'test@example.com', password: 'password', name: 'Test User' };
const SCOPES = ['openid', 'profile', 'email', 'offline_access'];
const BASE = '/api/auth';

const server = http.createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${server.address().port}`;

const tables = {};
const auth = betterAuth({
  baseURL: origin,
  secret: randomBytes(32).toString('hex'),
  database: memoryAdapter(tables),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  disabledPaths: ['/token'],
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: '/sign-in',
      consentPage: '/consent',
      scopes: SCOPES,
      accessTokenExpiresIn: 300,
      // They are served below, at every address that a client may ask.
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
    oauthDeviceAuthorization({ verificationUri: `${origin}/device`, expiresIn: '10m', interval: '1s' }),
  ],
});
for (const [name, { modelName }] of Object.entries((await auth.$context).tables)) tables[modelName] = tables[name] = [];

async function register() {
  const { headers } = await auth.api.signUpEmail({ body: USER, returnHeaders: true });
  const cookie = headers.getSetCookie().map((set) => set.split(';')[0]).join('; ');
  const body = {
    client_name: 'Command line',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    scope: SCOPES.join(' '),
  };
  return auth.api.adminCreateOAuthClient({ headers: { cookie }, body });
}

/** The package has no pages of its own, only the addresses that a page's script asks. */
const page = (title, body, script) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>${title}</title>
<h1>${title}</h1>
${body}
<p role="alert"></p>
${script && `<script type="module">
  const query = location.search.slice(1);
  const problem = document.querySelector('[role=alert]');
  async function post(path, body) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch('${BASE}' + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw problem.textContent = told.error_description || told.message || answer.status;
    if (told.url) location.href = told.url;
  }
  const onClick = (action, act) => document.querySelector('[name=' + action + ']').onclick = act;
${script}
</script>`}`;

const pages = {
  '/sign-in': page('Sign in', `
<form>
  <label>Email <input name="email" type="email" autocomplete="username"></label>
  <label>Password <input name="password" type="password" autocomplete="current-password"></label>
  <button>Sign in</button>
</form>`, `
  document.forms[0].onsubmit = async (event) => {
    event.preventDefault();
    const { email, password } = Object.fromEntries(new FormData(event.target));
    const next = new URLSearchParams(query).get('next');
    await post('/sign-in/email', next ? { email, password } : { email, password, oauth_query: query });
    if (next) location.href = next;
  };`),
  '/consent': page('Allow access?', `
<button name="allow">Allow</button>
<button name="deny">Deny</button>`, `
  onClick('allow', () => post('/oauth2/consent', { accept: true, oauth_query: query }));
  onClick('deny', () => post('/oauth2/consent', { accept: false, oauth_query: query }));`),
  '/device': page('Connect a device', '<form><label>Code <input name="user_code"></label> <button>Continue</button></form>', `
  const code = document.forms[0].user_code;
  code.value = new URLSearchParams(query).get('user_code') ?? '';
  document.forms[0].onsubmit = (event) => {
    event.preventDefault();
    location.href = '/device/confirm?user_code=' + encodeURIComponent(code.value);
  };`),
  '/device/confirm': page('Allow this device?', `
<button name="allow">Allow</button>
<button name="deny">Deny</button>`, `
  const session = await (await fetch('${BASE}/get-session')).json();
  if (!session) location.replace('/sign-in?next=' + encodeURIComponent(location.pathname + location.search));
  const userCode = new URLSearchParams(query).get('user_code');
  // This tells the server whose sign-in may answer.
  const claimed = session && await fetch('${BASE}/device?user_code=' + encodeURIComponent(userCode));
  if (claimed && !claimed.ok) problem.textContent = 'That code is not right.';
  const answer = async (path) => {
    await post(path, { userCode });
    location.href = '/device/done';
  };
  onClick('allow', () => answer('/device/approve'));
  onClick('deny', () => answer('/device/deny'));`),
  '/device/done': page('Done', '<p>You can close this page.</p>', ''),
};

/** Web requests in, web answers out. */
const fromWeb = (handle) => async (req, res) => {
  const answer = await handle(new Request(origin + req.url));
  res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
};
const openid = fromWeb(oauthProviderOpenIdConfigMetadata(auth));
const documents = {
  [`${BASE}/.well-known/openid-configuration`]: openid,
  [`/.well-known/oauth-authorization-server${BASE}`]: fromWeb(oauthProviderAuthServerMetadata(auth)),
};

const { client_id: clientId } = await register();
const api = toNodeHandler(auth);
server.on('request', (req, res) => {
  const { pathname } = new URL(req.url, origin);
  const html = pages[pathname];
  if (html) return res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  return (documents[pathname] ?? api)(req, res);
});
console.log(JSON.stringify({ issuer: origin + BASE, pid: process.pid, client_id: clientId }));

process.stdin.on('end', () => process.exit(0)).resume();
