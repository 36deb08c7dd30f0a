#!/usr/bin/env node
// A user whose browser treats the provider as a site on the internet, so that its pages' requests to this machine fall under
// Local Network Access (https://wicg.github.io/local-network-access/).
//
//   local_network.mjs URL     an authorization URL; works as `hallpass login --browser=CMD`
//
//   REPORT     file for the result
//
// Writes the report of browser.mjs and `refusals`: Chromium's errors when the provider's page fetched the redirect URI.
import { renameSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { signIn } from './browser.mjs';

const LIMIT_MS = 50_000;

/** Lets a script on the provider's page fetch the redirect URI; returns the console messages if it was refused. */
async function fetched(page, request) {
  const refusals = [];
  const listen = (message) => refusals.push(message.text());
  page.on('console', listen);
  await page.goto(new URL('/.well-known/openid-configuration', request).href);
  const redirectUri = request.searchParams.get('redirect_uri');
  const isRefused = await page.evaluate((url) => fetch(url, { mode: 'no-cors' }).then(() => false, () => true), redirectUri);
  page.off('console', listen);
  return isRefused ? refusals : [];
}

async function visit(request) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', `--ip-address-space-overrides=${request.host}=public`],
  });
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    const refusals = await fetched(page, request);
    return { refusals, ...await signIn(page, request.href) };
  } finally {
    await browser.close();
  }
}

function report(result) {
  writeFileSync(`${process.env.REPORT}.part`, JSON.stringify(result));
  renameSync(`${process.env.REPORT}.part`, process.env.REPORT);
  process.exit(result.ok ? 0 : 1);
}

setTimeout(() => report({ ok: false, error: 'timed out' }), LIMIT_MS);
report(await visit(new URL(process.argv.at(-1))).catch((error) => ({ ok: false, error: error.message })));
