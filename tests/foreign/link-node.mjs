// Links node_modules/.bin/node, which runs everything here, after `npm ci`.
//
// One of the optional packages in package.json fits this machine and is Node. npm links it only from version 11 on, and on
// a machine that none of them fits, the Node that runs npm takes its place.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const OLDEST = 22;
const LINK = 'node_modules/.bin/node';

function systemNode() {
  if (parseInt(process.versions.node, 10) >= OLDEST) return process.execPath;
  console.error(`npm installed no Node for ${process.platform} on ${process.arch}, and ${process.version} is too old. ` +
    `Install Node ${OLDEST} or newer, or check the network, and run npm ci again.`);
  return process.exit(1);
}

const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const installed = Object.keys(optionalDependencies).map((name) => path.resolve('node_modules', name, 'bin/node'));
const node = installed.find(existsSync) ?? systemNode();
mkdirSync(path.dirname(LINK), { recursive: true });
rmSync(LINK, { force: true });
symlinkSync(path.relative(path.dirname(LINK), node), LINK);
