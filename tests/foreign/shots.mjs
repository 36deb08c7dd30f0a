#!/usr/bin/env node
// Takes screenshots of pages: LABEL.png, LABEL-dark.png and LABEL-360.png in the directory SHOTS (default shots).
//
//   shots.mjs LABEL=URL...
//
// Prints {ok, shots: [{label, url, status, file, overflows}], message?}, where `overflows` means that a page is wider than
// its window. Exits with 0 if every page was loaded, within 60 s.
import { closeBrowser, openPage, shoot } from './browser.mjs';

const dir = process.env.SHOTS || 'shots';
const shots = [];

function report(message) {
  const ok = message === undefined;
  process.stdout.write(`${JSON.stringify({ ok, shots, message })}\n`, () => process.exit(ok ? 0 : 1));
}

async function capture(page, argument) {
  const [, label, url] = argument.match(/^([^=]+)=(.+)$/s);
  const response = await page.goto(url, { waitUntil: 'load', timeout: 20_000 });
  for (const shot of await shoot(page, dir, label, true)) {
    shots.push({ label, url, status: response.status(), ...shot });
  }
}

setTimeout(() => report('timed out'), 50_000);
try {
  const page = await openPage();
  for (const argument of process.argv.slice(2)) await capture(page, argument);
  await closeBrowser(page);
  report();
} catch (error) {
  report(error.message);
}
