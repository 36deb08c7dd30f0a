#!/usr/bin/env node
// A user without a browser: signs in at oidc-provider.mjs through its forms, for tests in which Chromium would take most of
// the time.
//
//   visitor.mjs URL     an authorization URL; works as `hallpass login --browser=CMD`
//
// Exits with 0 if the redirect URI responded with a success status.
const FORMS = { login: { action: 'login', email: 'test@example.com', password: 'password' }, consent: { action: 'allow' } };
const MOST_PAGES = 12;

const cookies = new Map();

/** Sends one request. Cookies that it sets are sent from then on, to every path. */
async function ask(url, form) {
  const headers = { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') };
  const body = form && new URLSearchParams(form);
  const response = await fetch(url, { method: form ? 'POST' : 'GET', body, headers, redirect: 'manual' });
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    cookies.set(name, value);
  }
  return response;
}

/** Follows redirects and submits forms until the client's listener has the code. */
async function walk(start) {
  const landing = new URL(start).searchParams.get('redirect_uri');
  let url = start;
  let form;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const response = await ask(url, form);
    if (url.startsWith(landing)) return response.ok;
    const next = response.headers.get('location');
    const asksWho = !next && (await response.text()).includes('name="email"');
    form = next ? undefined : FORMS[asksWho ? 'login' : 'consent'];
    url = next ? new URL(next, url).href : url;
  }
  return false;
}

process.exit(await walk(process.argv.at(-1)) ? 0 : 1);
