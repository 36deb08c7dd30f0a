// Shared by the foreign clients: settings, a loopback listener, a user with a browser, and a record of their steps.
//
//   CLIENT_ID, CLIENT_SECRET   the client (default demo, public)
//   SCOPE                      default "openid profile email offline_access"
//   EXTRA                      extra parameters of the authorization request, such as prompt=consent
import http from 'node:http';
import { closeBrowser, openPage, signIn } from './browser.mjs';

export const clientId = process.env.CLIENT_ID || 'demo';
export const clientSecret = process.env.CLIENT_SECRET;
export const scope = process.env.SCOPE || 'openid profile email offline_access';
export const extra = Object.fromEntries(new URLSearchParams(process.env.EXTRA));
export const user = process.env.IDP_USER || 'test@example.com';

const steps = [];
let current;

/** Runs one step of the journey and records its result. */
export async function step(name, work) {
  current = name;
  try {
    const value = await work();
    steps.push({ step: name, ok: true });
    return value;
  } catch (error) {
    const { message, code, error: oauth, status, cause } = error;
    steps.push({ step: name, ok: false, message, code, error: oauth, status, cause: cause?.message ?? cause });
    throw error;
  }
}

async function listen() {
  const arrivals = [];
  const server = http.createServer((req, res) => {
    const url = new URL(req.url, redirectUri);
    if (url.pathname === '/callback') arrivals.push(url);
    res.writeHead(url.pathname === '/callback' ? 200 : 404, { 'content-type': 'text/html' });
    res.end('<!doctype html><title>Signed in</title><h1>Signed in</h1>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const redirectUri = `http://127.0.0.1:${server.address().port}/callback`;
  return { redirectUri, arrivals, close: () => server.close() };
}

/** Returns a user with a browser, and a listener for the callback. */
async function newVisitor() {
  const listener = await listen();
  const page = await openPage();
  return {
    redirectUri: listener.redirectUri,
    async authorize(url) {
      const { ok, text } = await signIn(page, String(url));
      if (!ok || listener.arrivals.length !== 1) throw new Error(`expected exactly one callback: ${text}`);
      return listener.arrivals.pop();
    },
    /** Allows or denies a device at its `uri`, typing or comparing its code. */
    async decide(uri, userCode, deny = false) {
      const { ok, text } = await signIn(page, uri, { userCode, deny });
      if (!ok) throw new Error(`could not complete the device page: ${text}`);
    },
    async leave() {
      listener.close();
      await closeBrowser(page);
    },
  };
}

function report(issuer, ok, message) {
  const line = JSON.stringify({ ok, issuer, client_id: clientId, steps, message });
  process.stdout.write(`${line}\n`, () => process.exit(ok ? 0 : 1));
}

/** Runs `journey(issuer, visitor)`, prints its report and ends the process. */
export async function run(journey) {
  const issuer = process.argv.at(-1);
  setTimeout(() => report(issuer, false, `timed out at ${current}`), 50_000);
  try {
    const visitor = await newVisitor();
    await journey(new URL(issuer), visitor);
    await visitor.leave();
    report(issuer, true);
  } catch (error) {
    report(issuer, false, error.message);
  }
}
