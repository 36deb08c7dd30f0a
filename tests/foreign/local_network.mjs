#!/usr/bin/env node
// A person whose provider is on the internet, as Chromium is told: what its pages want of this computer then falls under
// Local Network Access (https://wicg.github.io/local-network-access/).
//
//   local_network.mjs URL     URL of an authorization request; fit for `hallpass login --browser`
//
//   REPORT     file for the result
//
// Writes what browser.mjs reports, and `refusals`: what Chromium said when the provider's page fetched the redirect URI.
import { renameSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { signIn } from './browser.mjs';

const LIMIT_MS = 50_000;

/** A script of the provider's page brings an answer to the redirect URI; what comes of that in the console. */
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
