// Links node_modules/.bin/node, which runs everything here. `npm ci` runs this script.
//
// The link leads to the optional package in package.json that has Node for this machine, because npm older than 11 doesn't
// link it. Without one, it leads to the Node that runs npm.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const OLDEST = 22;
const LINK = 'node_modules/.bin/node';

function systemNode() {
  if (parseInt(process.versions.node, 10) >= OLDEST) return process.execPath;
  console.error(`npm installed no Node for ${process.platform} on ${process.arch}, and Node ${process.version} is too old. ` +
    `Install Node ${OLDEST} or newer, or check the network, then run npm ci again.`);
  return process.exit(1);
}

const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const installed = Object.keys(optionalDependencies).map((name) => path.resolve('node_modules', name, 'bin/node'));
const node = installed.find(existsSync) ?? systemNode();
mkdirSync(path.dirname(LINK), { recursive: true });
rmSync(LINK, { force: true });
symlinkSync(path.relative(path.dirname(LINK), node), LINK);
