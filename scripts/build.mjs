// Compiles TypeScript to dist/ and bundles the workflows once, so that a worker starts without webpack in its memory.
// The bundle is written last: its age is what scripts/ensure-ready.mjs compares.
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
});
const { bundleWorkflows } = require(join(root, 'dist', 'src', 'worker', 'bundle.js'));
const { code } = await bundleWorkflows();
writeFileSync(join(root, 'dist', 'workflow-bundle.js'), withoutBuildPath(code));

// The bundle goes into the package: its source map names files as they lie there, and does not tell where it was built.
function withoutBuildPath(bundle) {
  const inlineMap = /(?<=\/\/# sourceMappingURL=data:application\/json;charset=utf-8;base64,)\S+/;
  return bundle.replace(inlineMap, (map) => {
    const text = Buffer.from(map, 'base64').toString();
    return Buffer.from(text.replaceAll(join(root, '/'), '')).toString('base64');
  });
}
