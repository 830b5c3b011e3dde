import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folder of fillsafe's own package.json, from source and from dist alike: Lua scripts and configuration lie below it. */
export const packageRoot: string = (() => {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();
