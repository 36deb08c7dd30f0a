#!/usr/bin/env node
// The npm package better-auth with its OAuth provider, in memory, on loopback, for one test run.
//
// Prints {"issuer", "pid", "client_id"} once it listens. Exits when its stdin closes.
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
      // Both documents are served below, at every path that a client may request.
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

/** The package has no pages, only endpoints for a page's script. */
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
    const response = await fetch('${BASE}' + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const result = await response.json().catch(() => ({}));
    if (!response.ok) throw problem.textContent = result.error_description || result.message || response.status;
    if (result.url) location.href = result.url;
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
  // Claims the code for the signed-in user, who may then allow or deny it.
  const claimed = session && await fetch('${BASE}/device?user_code=' + encodeURIComponent(userCode));
  if (claimed && !claimed.ok) problem.textContent = 'That code is not right.';
  const decide = async (path) => {
    await post(path, { userCode });
    location.href = '/device/done';
  };
  onClick('allow', () => decide('/device/approve'));
  onClick('deny', () => decide('/device/deny'));`),
  '/device/done': page('Done', '<p>You can close this page.</p>', ''),
};

/** Adapts a handler of web requests to Node's server. */
const fromWeb = (handle) => async (req, res) => {
  const response = await handle(new Request(origin + req.url));
  res.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
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
