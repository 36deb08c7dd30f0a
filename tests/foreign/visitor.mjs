#!/usr/bin/env node
// A person without a browser: signs in at oidc-provider.mjs by its forms, where Chromium would be most of the work.
//
//   visitor.mjs URL     URL of an authorization request; fit for `hallpass login --browser`
//
// Ends with 0 when the client's redirect URI answered 200.
const FORMS = { login: { action: 'login', email: 'test@example.com', password: 'password' }, consent: { action: 'allow' } };
const MOST_PAGES = 12;

const cookies = new Map();

/** One request; what it sets is sent from then on, to every path. */
async function ask(url, form) {
  const headers = { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') };
  const body = form && new URLSearchParams(form);
  const answer = await fetch(url, { method: form ? 'POST' : 'GET', body, headers, redirect: 'manual' });
  for (const cookie of answer.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    cookies.set(name, value);
  }
  return answer;
}

/** Follows redirects and answers forms until the client's listener has the code. */
async function walk(start) {
  const landing = new URL(start).searchParams.get('redirect_uri');
  let url = start;
  let form;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await ask(url, form);
    if (url.startsWith(landing)) return answer.ok;
    const next = answer.headers.get('location');
    const asksWho = !next && (await answer.text()).includes('name="email"');
    form = next ? undefined : FORMS[asksWho ? 'login' : 'consent'];
    url = next ? new URL(next, url).href : url;
  }
  return false;
}

process.exit(await walk(process.argv.at(-1)) ? 0 : 1);
