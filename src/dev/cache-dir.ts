import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where fetched programs are kept: `FILLSAFE_CACHE_DIR`, else `fillsafe` below `$XDG_CACHE_HOME`, below
 * `~/Library/Caches` on macOS, below `~/.cache` elsewhere. Safe to delete at any time.
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['FILLSAFE_CACHE_DIR']) return env['FILLSAFE_CACHE_DIR'];
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'fillsafe');
  return join(homedir(), process.platform === 'darwin' ? join('Library', 'Caches') : '.cache', 'fillsafe');
}
