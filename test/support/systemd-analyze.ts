import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** What systemd's own linter says about a unit. */
export interface UnitReading {
  /** Warnings and errors, one line each. */
  complaints: string[];
  /** The words of ExecStart= as systemd reads them, before it expands variables. */
  execStart: string[];
  /** 0 to 10, less is better. */
  exposure: number;
}

/** Version of systemd-analyze; null where systemd is not installed, which is said once a call. */
export function analyzeVersion(): number | null {
  const { stdout } = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
  const version = /^systemd (\d+)/.exec(stdout ?? '')?.[1];
  if (version === undefined) {
    console.log('there is no systemd-analyze here: units are checked by our own reader alone');
    return null;
  }
  return Number(version);
}

/** Has systemd read a unit. */
export async function analyzeUnit(text: string): Promise<UnitReading> {
  const path = join(await tempFolder(), 'unit-under-test.service');
  await writeFile(path, text);
  const verify = ['verify', '--man=no', path];
  const complaints = analyze(verify, {})
    .split('\n')
    .filter((line) => line.includes('unit-under-test.service'));
  const verified = analyze(verify, { SYSTEMD_LOG_LEVEL: 'debug' });
  const [, command = ''] = /^\s*Command Line: (.*)$/m.exec(verified) ?? [];
  const security = analyze(['security', '--offline=true', '--no-pager', path], {});
  const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(security)?.[1] ?? Number.NaN);
  return { complaints, execStart: wordsIn(command), exposure };
}

function analyze(args: readonly string[], env: Readonly<Record<string, string>>): string {
  const { stdout, stderr } = spawnSync('systemd-analyze', [...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0', ...env },
    maxBuffer: 64 * 1024 ** 2,
  });
  return `${stdout}\n${stderr}`;
}

/** Words as systemd prints them, quoted where a shell would want it. */
function wordsIn(printed: string): string[] {
  return [...printed.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '',
  );
}
