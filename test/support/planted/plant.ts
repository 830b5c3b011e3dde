import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { transformSync } from '@swc/core';
import { packageRoot } from '../../../src/package-root';

const packages = createRequire(__filename);

/** A mistake that somebody could make in one file: `find`, which stands there once, becomes `replace`. */
export interface Bug {
  name: string;
  file: string;
  find: string;
  replace: string;
}

/** Answers the change of a text that holds the file. Throws when the file no longer reads as it did, or the bug would be none. */
export function plant({ name, file, find, replace }: Bug): (text: string) => string {
  const parts = readFileSync(join(packageRoot, file), 'utf8').split(find);
  if (parts.length !== 2) {
    throw new Error(
      `"${name}" is planted nowhere: ${file} holds its text ${parts.length - 1} times, not once. Adapt it to what the file says now:\n${find}`,
    );
  }
  return (text) => text.replace(find, () => replace);
}

/**
 * Loads a file of the project and all that it imports of the project, once more and apart from everybody else's; with a bug
 * in one of the files if there is one. Packages are shared.
 */
export function loadPlanted<T>(entry: string, bug: Bug | undefined): T {
  const change = bug && plant(bug);
  const modules = new Map<string, { exports: unknown }>();

  function load(file: string): unknown {
    const known = modules.get(file);
    if (known) return known.exports;
    const module = { exports: {} };
    modules.set(file, module);
    const text = readFileSync(file, 'utf8');
    const code = compiled(file, change && relative(packageRoot, file) === bug?.file ? change(text) : text);
    const load = (id: string): unknown => (id.startsWith('.') ? loadFrom(file, id) : packages(id));
    new Function('exports', 'module', 'require', '__dirname', code)(module.exports, module, load, dirname(file));
    return module.exports;
  }

  function loadFrom(file: string, id: string): unknown {
    const path = resolve(dirname(file), id);
    const found = [`${path}.ts`, join(path, 'index.ts')].find((each) => existsSync(each));
    return found === undefined ? packages(path) : load(found);
  }

  return load(join(packageRoot, entry)) as T;
}

const compiledTexts = new Map<string, string>();

function compiled(filename: string, text: string): string {
  const known = compiledTexts.get(text);
  if (known !== undefined) return known;
  const parser = { syntax: 'typescript' } as const;
  const { code } = transformSync(text, { filename, jsc: { target: 'es2022', parser }, module: { type: 'commonjs' } });
  compiledTexts.set(text, code);
  return code;
}
