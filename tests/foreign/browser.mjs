#!/usr/bin/env node
// A user with a browser: signs in on a provider's own pages in headless Chromium.
//
//   browser.mjs URL     an authorization URL, or the URL of a device page with or without its user code
//
//   IDP_USER, IDP_PASSWORD   the account to sign in (default test@example.com, password)
//   IDP_DENY                 1: press the button that denies access
//   IDP_TICK                 check only boxes whose id contains this (default: all)
//   USER_CODE                the code to type on a device page
//   SHOTS                    directory for a screenshot of every page
//   SHOTS_THEMES             1: also screenshots in dark mode and 360 px wide
//   REPORT                   file for the result, if stdout is not read
//   CHROMIUM                 the browser (default /usr/bin/chromium)
//
// Prints {ok, landed, status, title, text, requests, console, steps, error?} and exits with 0 or 1 within 60 s.
// `requests` has the requests of the last page. Neither it nor `console` has /favicon.ico, which the browser fetches by
// itself and at any time.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const ALLOW = /^(allow|accept|approve|authori[sz]e|confirm|connect|continue|grant|ok|verify|yes)\b/i;
const DENY = /^(deny|cancel|decline|refuse|reject|no)\b/i;
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const MOST_PAGES = 8;
const PAGE_MS = 40_000;
/** How long a page that a script changes must stay unchanged to count as finished. */
const QUIET_MS = 300;
/** How long scripts may take to show a form. */
const SCRIPT_MS = 8_000;
/** A page that asks for these a second time rejected the first attempt. */
const ASKED_ONCE = ['sign-in', 'user-code'];

/** Opens a page in a new Chromium with a new profile; `closeBrowser` closes both. */
export async function openPage() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: FLAGS,
    timeout: 30_000,
  });
  return browser.newPage({ viewport: DESKTOP, colorScheme: 'light', ignoreHTTPSErrors: true });
}

export const closeBrowser = (page) => page.context().browser().close();

/** Takes `NAME.png`, and with `themes` also `NAME-dark.png` and `NAME-360.png`; reports whether each overflows its window. */
export async function shoot(page, dir, name, themes) {
  const shots = [];
  const take = async (suffix) => {
    const file = path.join(dir, `${name}${suffix}.png`);
    await page.screenshot({ path: file, fullPage: true });
    const overflows = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    shots.push({ file, overflows });
  };
  mkdirSync(dir, { recursive: true });
  await take('');
  if (!themes) return shots;
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(PHONE);
  await take('-360');
  await page.setViewportSize(DESKTOP);
  return shots;
}

/** Returns a test for the URL where the journey ends: the redirect URI, or without one any other origin. */
function destination(url) {
  const start = new URL(url);
  const redirect = start.searchParams.get('redirect_uri');
  const withoutQuery = (address) => address.split(/[?#]/)[0];
  return redirect
    ? (address) => withoutQuery(address) === withoutQuery(redirect)
    : (address) => /^https?:/.test(address) && new URL(address).origin !== start.origin;
}

/** Records where a page landed, with what status, and its requests and console errors. */
function observe(page, lands) {
  const seen = { landed: null, status: null, requests: [], console: [] };
  let open = 0;
  const isBusy = () => open > 0;
  for (const over of ['requestfinished', 'requestfailed']) page.on(over, () => { open -= 1; });
  page.on('request', (request) => {
    open += 1;
    if (seen.landed) seen.requests.push(request.url());
    else if (request.isNavigationRequest() && lands(request.url())) seen.landed = request.url();
  });
  page.on('response', (response) => {
    if (response.url() === seen.landed) seen.status = response.status();
  });
  page.on('console', (message) => {
    const { url } = message.location();
    if (message.type() === 'error' && !url.endsWith('/favicon.ico')) seen.console.push(`${message.text()} (${url})`);
  });
  page.on('pageerror', (error) => seen.console.push(String(error)));
  return { seen, isBusy };
}

const firstVisible = (page, selector) => page.locator(`${selector} >> visible=true`).first();
const has = async (locator) => await locator.count() > 0;

async function buttonNamed(page, pattern) {
  for (const button of await page.locator('button, input[type=submit]').all()) {
    const label = (await button.innerText() || await button.getAttribute('value') || '').trim();
    if (pattern.test(label) && await button.isVisible() && await button.isEnabled()) return button;
  }
  return undefined;
}

const click = (button) => () => button.click({ noWaitAfter: true });

/** Returns the one action that a user would take on this page, with its preparation; nothing on a page without a form. */
async function nextAct(page, options) {
  const password = firstVisible(page, 'input[type=password]');
  if (await has(password)) {
    const prepare = () => fillSignIn(page, password, options);
    return { name: 'sign-in', prepare, run: () => password.press('Enter') };
  }
  const code = firstVisible(page, options.userCode ? 'input[name=user_code], input[type=text]' : 'input[name=user_code]');
  if (await has(code) && (options.userCode || await code.inputValue())) {
    const prepare = () => enterOrCompare(code, options.userCode);
    return { name: 'user-code', prepare, run: () => goOn(page, code) };
  }
  const button = await buttonNamed(page, options.deny ? DENY : ALLOW);
  return button && { name: 'consent', prepare: () => tick(page, options.tick), run: click(button) };
}

/** Types the device's code or compares it with the one shown; without a code, accepts the one shown. */
async function enterOrCompare(code, userCode) {
  if (!userCode) return;
  if (await code.isEditable()) await code.fill(userCode);
  else if (await code.inputValue() !== userCode) throw new Error(`the page shows another code than ${userCode}`);
}

async function fillSignIn(page, password, options) {
  const user = firstVisible(page, 'input[type=email], input[autocomplete~=username], input[type=text]');
  if (await has(user)) await user.fill(options.user);
  await password.fill(options.password);
}

/** Clicks the button that goes on, or presses Enter in a form without one. */
async function goOn(page, field) {
  const button = await buttonNamed(page, ALLOW);
  await (button ? click(button)() : field.press('Enter'));
}

async function tick(page, part) {
  const wanted = part ? `[id*="${part}"]` : '';
  const boxes = page.locator(`input[type=checkbox]${wanted}:enabled >> visible=true`);
  for (const box of await boxes.all()) await box.check();
}

const textOf = (page) => page.evaluate(() => document.body?.innerText).catch(() => undefined);

/** Waits until scripts have changed the text `before` and are done. */
async function rewritten(page, isBusy, before, isOver) {
  let text = before;
  let since = Date.now();
  while (!isOver() && (text === before || Date.now() - since < QUIET_MS)) {
    await page.waitForTimeout(50);
    const now = await textOf(page);
    if (now !== text || isBusy()) since = Date.now();
    text = now ?? before;
  }
}

/** Runs `act` and waits until the next page is there, by navigation or by script, or has failed to load. */
async function andArrive(page, isBusy, act) {
  const limit = { timeout: PAGE_MS };
  const before = await textOf(page);
  const loaded = page.waitForEvent('load', limit);
  const failed = page.waitForEvent('requestfailed', { ...limit, predicate: (request) => request.isNavigationRequest() });
  const navigated = Promise.any([loaded, failed]);
  let isOver = false;
  navigated.catch(() => {}).finally(() => { isOver = true; }); // if `act` fails, nothing awaits these
  await act();
  const arrived = Promise.race([navigated, rewritten(page, isBusy, before, () => isOver).catch(() => navigated)]);
  await arrived.catch(() => { throw new Error(`no page came after ${page.url()}`); });
  isOver = true;
}

/** Returns the action for this page; gives scripts time to show a form. */
async function question(page, { seen, isBusy }, options) {
  const hasScripts = await page.evaluate(() => document.scripts.length > 0).catch(() => false);
  const end = Date.now() + (hasScripts ? SCRIPT_MS : 0);
  const isOver = () => seen.landed || Date.now() >= end;
  for (;;) {
    await rewritten(page, isBusy, undefined, isOver);
    const act = await nextAct(page, options);
    if (act || isOver()) return act;
    await page.waitForTimeout(50);
  }
}

/** Completes page after page until the destination, a page without a form, or one that rejects the input. */
async function walk(page, watch, options, snap) {
  const { seen, isBusy } = watch;
  const steps = [];
  while (!seen.landed) {
    const act = await question(page, watch, options);
    if (!act) return { steps, refused: false };
    if (steps.length === MOST_PAGES || (ASKED_ONCE.includes(act.name) && steps.includes(act.name))) break;
    await act.prepare();
    await snap(act.name);
    steps.push(act.name);
    await andArrive(page, isBusy, act.run);
  }
  return { steps, refused: !seen.landed };
}

const settings = () => ({
  user: process.env.IDP_USER || 'test@example.com',
  password: process.env.IDP_PASSWORD || 'password',
  deny: process.env.IDP_DENY === '1',
  tick: process.env.IDP_TICK,
  userCode: process.env.USER_CODE,
  shots: process.env.SHOTS,
  themes: process.env.SHOTS_THEMES === '1',
});

/** Goes to `url`, completes every page and describes the last one. `options` overrides the environment. */
export async function signIn(page, url, options = {}) {
  const chosen = { ...settings(), ...options };
  const watch = observe(page, destination(url));
  const { seen } = watch;
  let taken = 0;
  const snap = (label) => chosen.shots
    && shoot(page, chosen.shots, `${String(++taken).padStart(2, '0')}-${label}`, chosen.themes);
  await andArrive(page, watch.isBusy, () => page.goto(url, { waitUntil: 'commit', timeout: PAGE_MS }).catch(() => {}));
  const { steps, refused } = await walk(page, watch, chosen, snap);
  await snap(seen.landed ? 'landed' : 'end');
  const needsLanding = new URL(url).searchParams.has('redirect_uri');
  const ok = seen.landed ? seen.status !== null : !needsLanding && !refused && steps.length > 0;
  return { ok, ...seen, title: await page.title(), text: await page.innerText('body'), steps };
}

function report(result) {
  const line = `${JSON.stringify(result)}\n`;
  if (process.env.REPORT) {
    writeFileSync(`${process.env.REPORT}.part`, line);
    renameSync(`${process.env.REPORT}.part`, process.env.REPORT);
  }
  process.stdout.write(line, () => process.exit(result.ok ? 0 : 1));
}

async function main(url) {
  setTimeout(() => report({ ok: false, error: 'timed out' }), 50_000);
  const page = await openPage();
  const result = await signIn(page, url).catch((error) => ({ ok: false, error: error.message }));
  await closeBrowser(page);
  report(result);
}

if (import.meta.filename === path.resolve(process.argv[1])) {
  await main(process.argv.at(-1)).catch((error) => report({ ok: false, error: error.message }));
}
