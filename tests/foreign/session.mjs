#!/usr/bin/env node
// A person whose browser stays open: signs in at each address on stdin in one session of headless Chromium.
//
//   session.mjs          settings: see browser.mjs
//
// Prints a line like that of browser.mjs for each; ends when its stdin does.
import readline from 'node:readline';
import { closeBrowser, openPage, signIn } from './browser.mjs';

const page = await openPage();
for await (const url of readline.createInterface({ input: process.stdin })) {
  const result = await signIn(page, url).catch((error) => ({ ok: false, error: error.message }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
await closeBrowser(page);
process.exit(0);
