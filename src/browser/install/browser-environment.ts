import { homedir, tmpdir } from 'node:os';
import type { Environment } from './browser-machine.ts';

/**
 * The environment a Chromium gets: what it needs to start, find fonts and a display, and nothing else.
 * No proxy either: where its requests go is not the environment's to say. The runner's own settings and secrets never reach a process that renders foreign pages.
 * `extra` is what this very browser needs besides (BrowserChoice.env).
 */
export function browserEnvironment(
  env: Environment,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isPassedOn(entry[0]),
  );
  return { PATH: defaultPath, HOME: homedir(), TMPDIR: tmpdir(), ...Object.fromEntries(kept), ...extra };
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const passedOn: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TMP', 'TEMP', 'TZ', 'LANG', 'LANGUAGE'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_DIRS', 'XDG_SESSION_TYPE'],
  ...['FONTCONFIG_PATH', 'FONTCONFIG_FILE', 'LD_LIBRARY_PATH'],
  // Windows does not start a program without these.
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'USERPROFILE', 'LOCALAPPDATA', 'APPDATA', 'PROGRAMFILES'],
]);

function isPassedOn(name: string): boolean {
  const upper = name.toUpperCase();
  return passedOn.has(upper) || upper.startsWith('LC_');
}
