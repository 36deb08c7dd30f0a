#!/usr/bin/env node
// A user whose browser stays open: signs in at each authorization URL from stdin in the same headless Chromium.
//
//   session.mjs          settings: see browser.mjs
//
// Prints the result for each URL as browser.mjs does; exits when its stdin closes.
import readline from 'node:readline';
import { closeBrowser, openPage, signIn } from './browser.mjs';

const page = await openPage();
for await (const url of readline.createInterface({ input: process.stdin })) {
  const result = await signIn(page, url).catch((error) => ({ ok: false, error: error.message }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
await closeBrowser(page);
process.exit(0);
