#!/usr/bin/env node
// The npm package oidc-provider, a certified OpenID provider, on loopback, for one test run.
//
//   HOST                host in the issuer (default 127.0.0.1); it always listens on 127.0.0.1
//   PORT                port to listen on; 0 (default) picks a free one
//   ACCESS_TTL          lifetime of access tokens in seconds (default 300)
//   ROTATE              1 (default): refresh tokens rotate, and reusing an old one ends the grant; 0: they don't rotate
//   TLS_CERT, TLS_KEY   PEM files to serve https with
//   VERBOSE             1: log requests and the package's notices to stderr
//
// Prints {"issuer", "pid"} once it listens. Exits on SIGTERM, or when its stdin closes.
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { Provider } from 'oidc-provider';

const { HOST = '127.0.0.1', PORT = '0', ACCESS_TTL = '300', ROTATE = '1', TLS_CERT, TLS_KEY, VERBOSE } = process.env;
const log = VERBOSE === '1' ? console.error : () => {};
console.info = log;
console.warn = log;

const PASSWORD = 'password';
const ACCOUNTS = [
  { sub: 'user-1', email: 'test@example.com', email_verified: true, name: 'Test User', given_name: 'Test', family_name: 'User' },
  { sub: 'user-2', email: 'zoe@example.com', email_verified: false, name: 'Zoë 日本', given_name: 'Zoë', family_name: '日本' },
];

const NATIVE = {
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'http://localhost:9999/callback'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
};
const CLIENTS = [
  { ...NATIVE, client_id: 'cli', client_name: 'Command line' },
  { ...NATIVE, client_id: 'cli-es256', id_token_signed_response_alg: 'ES256' },
  { ...NATIVE, client_id: 'norefresh', grant_types: ['authorization_code'] },
  {
    ...NATIVE,
    client_id: 'cli-secret',
    client_secret: 'a secret: with %reserved& characters+/=',
    token_endpoint_auth_method: 'client_secret_basic',
  },
];

const PEM = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
};

// Keep the detour through PEM. A KeyObject from generateKeyPairSync shares a lock with the job that made it, and in Node 20
// a garbage collection during export() that destroys the job waits for that lock forever.
function signingKey(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, { ...options, ...PEM });
  return { ...createPrivateKey(privateKey).export({ format: 'jwk' }), kid: alg, alg, use: 'sig' };
}

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => escapes[c]);

const page = (title, body) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escape(title)}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 22rem; margin: 4rem auto; padding: 0 1rem }
  input, button { display: block; box-sizing: border-box; width: 100%; margin: .25rem 0 1rem; padding: .5rem; font: inherit }
</style>
<main><h1>${escape(title)}</h1>${body}</main>
</html>`;

const loginPage = (hint, problem = '') => page('Sign in', `
<p role="alert">${problem}</p>
<form method="post">
  <label>Email <input name="email" type="email" autocomplete="username" value="${escape(hint)}" required autofocus></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button name="action" value="login">Sign in</button>
  <button name="action" value="deny" formnovalidate>Cancel</button>
</form>`);

const consentPage = (client, scope) => page('Allow access?', `
<p><b>${escape(client)}</b> asks for: ${escape(scope)}</p>
<form method="post">
  <button name="action" value="allow">Allow</button>
  <button name="action" value="deny">Deny</button>
</form>`);

async function formOf(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return new URLSearchParams(text);
}

/** Returns the result of the current page for the provider; nothing if the page must be shown again. */
async function resultOf(provider, { prompt, params, session, grantId }, form) {
  if (form.get('action') === 'deny') return { error: 'access_denied', error_description: 'The user said no' };
  if (prompt.name === 'login') {
    const account = ACCOUNTS.find(({ email }) => email === form.get('email'));
    return account && form.get('password') === PASSWORD ? { login: { accountId: account.sub } } : undefined;
  }
  const known = grantId && await provider.Grant.find(grantId);
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  return { consent: { grantId: await grant.save() } };
}

const interactions = (provider) => async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const details = await provider.interactionDetails(ctx.req, ctx.res);
  const { prompt, params } = details;
  const posted = ctx.method === 'POST';
  const result = posted && await resultOf(provider, details, await formOf(ctx.req));
  if (result) {
    ctx.status = 303;
    return ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  }
  ctx.body = prompt.name === 'login'
    ? loginPage(params.login_hint ?? '', posted ? 'Wrong email or password.' : '')
    : consentPage(params.client_id, params.scope);
};

const journal = [];
const connections = new WeakMap();
let connectionCount = 0;

async function keepJournal(ctx, next) {
  if (ctx.path === '/_journal') {
    ctx.body = journal;
    return;
  }
  const entry = { method: ctx.method, path: ctx.path, connection: connections.get(ctx.req.socket) };
  try {
    await next();
  } finally {
    entry.grant_type = ctx.oidc?.params?.grant_type;
    entry.status = ctx.status;
    entry.error = ctx.body?.error;
    journal.push(entry);
    log(entry.method, entry.path, entry.status);
  }
}

const devicePages = {
  userCodeInputSource(ctx, form, out, problem) {
    const hints = { undefined: 'Enter the code that your device shows.', AbortedError: 'The device was not connected.' };
    const hint = hints[problem?.name] ?? 'That code is not right.';
    ctx.body = page('Connect a device', `<p>${hint}</p>${form}<button form="op.deviceInputForm">Continue</button>`);
  },
  userCodeConfirmSource(ctx, form, client, info, code) {
    ctx.body = page('Is this your code?', `<p><code>${escape(code)}</code></p>${form}
      <button form="op.deviceConfirmForm">Continue</button>
      <button form="op.deviceConfirmForm" name="abort" value="yes">Cancel</button>`);
  },
  successSource(ctx) {
    ctx.body = page('Device connected', '<p>You can close this page.</p>');
  },
};

function accountOf(ctx, sub) {
  const account = ACCOUNTS.find((known) => known.sub === sub);
  return account && { accountId: sub, claims: () => account };
}

const configuration = {
  clients: CLIENTS,
  findAccount: accountOf,
  jwks: { keys: [signingKey('RS256', 'rsa', { modulusLength: 2048 }), signingKey('ES256', 'ec', { namedCurve: 'P-256' })] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name'] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  pkce: { required: () => true },
  rotateRefreshToken: ROTATE !== '0',
  ttl: { AccessToken: Number(ACCESS_TTL) },
  features: {
    devInteractions: { enabled: false },
    userinfo: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    deviceFlow: { enabled: true, ...devicePages },
  },
  renderError(ctx, { error, error_description: description }) {
    ctx.body = page('This cannot go on', `<p>${escape(error)}: ${escape(description)}</p>`);
  },
};

const server = TLS_CERT
  ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) })
  : http.createServer();

server.on(TLS_CERT ? 'secureConnection' : 'connection', (socket) => connections.set(socket, ++connectionCount));
server.listen(Number(PORT), '127.0.0.1', () => {
  const issuer = `${TLS_CERT ? 'https' : 'http'}://${HOST}:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  provider.use(keepJournal);
  provider.use(interactions(provider));
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer, pid: process.pid }));
});

process.on('SIGTERM', () => process.exit(0));
process.stdin.on('close', () => process.exit(0)).resume();
