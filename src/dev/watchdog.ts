import { spawn, type ChildProcess } from 'node:child_process';
import { formatProcessIdentity, identifyProcess, type ProcessIdentity } from './process-identity';

/** Ends child processes when this process dies, by whatever death. */
export interface Watchdog {
  readonly pid: number | undefined;
  /** From now on `pid` (and its process group, if it leads one) ends with this process. Unknown pids are ignored. */
  register(pid: number): void;
  unregister(pid: number): void;
  /** Ends the watch. Whatever is still registered is ended now. */
  close(): void;
}

/** A shell that ends by itself each time must not be started for ever. */
const MAX_RESTARTS = 5;

// A shell, because it is there, takes 1 MB and starts in a millisecond. It reads orders until its pipe closes, which the
// kernel does for a parent that was killed -9 too; then TERM, and KILL for what is left after the grace. A pid that has
// been given to another process since is left alone: `born` must agree with identifyProcess in ./process-identity.ts.
const SCRIPT = `
trap '' HUP INT TERM
born() {
  if [ -r /proc/self/stat ]; then
    sed -e 's/.*) //' -e '/^Z/d' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
  else
    LC_ALL=C ps -o lstart= -p "$1" | sed 's/^ *//;s/ *$//' | tr -s ' ' '_'
  fi
}
keep_living() {
  living=''
  for child in $children; do
    if [ "$(born "\${child%%:*}")" = "\${child#*:}" ]; then living="$living $child"; fi
  done
  children=$living
}
signal_all() {
  for child in $children; do
    kill -s "$1" -- "-\${child%%:*}" 2>/dev/null || kill -s "$1" "\${child%%:*}" 2>/dev/null
  done
}
children=''
while read -r verb pid started; do
  others=''
  for child in $children; do
    if [ "\${child%%:*}" != "$pid" ]; then others="$others $child"; fi
  done
  children=$others
  if [ "$verb" = add ]; then children="$children $pid:$started"; fi
done
keep_living
signal_all TERM
left=$1
while [ "$left" -gt 0 ]; do
  keep_living
  if [ -z "$children" ]; then exit 0; fi
  sleep 0.2
  left=$((left - 1))
done
signal_all KILL
`;

/**
 * Starts the watchdog: one small process in a session of its own, so that Ctrl-C in the terminal does not reach it.
 * What this process starts and does not register before it dies lives on. `graceMs` is the time between SIGTERM and SIGKILL.
 */
export function startWatchdog({ graceMs = 8_000 }: { graceMs?: number } = {}): Watchdog {
  const registered = new Map<number, ProcessIdentity>();
  let closed = false;
  let restartsLeft = MAX_RESTARTS;
  let shell = launch();

  function launch(): ChildProcess {
    const started = spawn('/bin/sh', ['-c', SCRIPT, 'fillsafe-watchdog', String(Math.ceil(graceMs / 200))], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
    });
    // A pipe to a dead watchdog breaks: its exit is what matters, and that is handled below.
    started.stdin?.on('error', () => undefined);
    started.on('error', () => undefined);
    started.once('exit', () => {
      // Someone killed the watchdog. Without another one an end of this process would leave the services running.
      if (closed || restartsLeft === 0) return;
      restartsLeft -= 1;
      shell = launch();
      for (const identity of registered.values()) shell.stdin?.write(`add ${formatProcessIdentity(identity)}`);
    });
    started.unref();
    // The pipe must not keep this process alive either. Its type hides that it is a socket.
    (started.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    return started;
  }

  return {
    get pid() {
      return shell.pid;
    },
    register(pid) {
      const identity = identifyProcess(pid);
      if (closed || identity === undefined) return;
      registered.set(pid, identity);
      shell.stdin?.write(`add ${formatProcessIdentity(identity)}`);
    },
    unregister(pid) {
      if (!registered.delete(pid) || closed) return;
      shell.stdin?.write(`del ${pid}\n`);
    },
    close() {
      closed = true;
      shell.stdin?.end();
    },
  };
}
