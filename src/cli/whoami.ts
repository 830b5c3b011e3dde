import { userInfo } from 'node:os';

/** Who types, for the audit: the user's name, or the number of one that the system has no name for, as in some containers. */
export function whoami(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
