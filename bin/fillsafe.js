#!/usr/bin/env node
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`fillsafe needs Node 20.19 or newer, this is ${process.version}`);
  process.exit(2);
}
const main = join(__dirname, '..', 'dist', 'src', 'cli', 'main.js');
if (!existsSync(main)) {
  console.error('fillsafe is not built here yet: run `npm ci && npm run build` (or `npm run demo`, which does both)');
  process.exit(2);
}
require(main).run(process.argv);
