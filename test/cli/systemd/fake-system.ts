import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runServiceCommand, service } from '../../../src/cli/commands/service.ts';
import { runWith, type ServiceMachine } from '../../../src/cli/systemd/service-machine.ts';
import { UsageError } from '../../../src/lib/errors.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { testContext } from '../../support/test-context.ts';

const node = '/usr/bin/node';
const program = '/usr/lib/node_modules/@qualitas-id/qualinet/bin/qualinet.js';

// Programs that note how they are called and do what the tests look at, on files in $STATE.
const programs: Readonly<Record<string, string>> = {
  systemctl: `
[ "$1" = --user ] && shift
case "$1" in
  --version) echo 'systemd 252 (252.1)';;
  restart) [ -e "$STATE/fails" ] && { echo "Job for $2 failed." >&2; exit 1; }; touch "$STATE/active";;
  is-active) [ -e "$STATE/active" ];;
  disable) rm -f "$STATE/active";;
  show) cat "$STATE/show";;
esac`,
  getent: 'grep "^$2:" "$STATE/passwd"',
  useradd: `for name; do :; done; echo "$name:x:$(id -u):$(id -g):runner:/var/lib/$name:/usr/sbin/nologin" >> "$STATE/passwd"`,
  userdel: 'sed -i "/^$1:/d" "$STATE/passwd"',
  loginctl: `
[ "$1" = show-user ] && { cat "$STATE/lingers"; exit 0; }
[ ! -e "$STATE/no-linger" ] || { echo "Access denied" >&2; exit 1; }`,
  journalctl: 'cat "$STATE/journal"',
};

/** A machine that is a folder: its system's programs are scripts, run as real processes, and its files are below `root`. */
export async function fakeSystem({
  uid = 0,
  isBooted = true,
  env = {},
  node: nodePath = node,
  program: programPath = program,
}: {
  uid?: number;
  isBooted?: boolean;
  env?: Record<string, string>;
  node?: string;
  program?: string;
} = {}) {
  const folder = await tempFolder();
  const root = join(folder, 'root');
  const state = join(folder, 'state');
  const bin = join(folder, 'bin');
  const home = join(folder, 'home/.qualinet');
  for (const made of [root, state, bin, join(folder, 'home')]) await mkdir(made, { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    const path = join(bin, name);
    await writeFile(path, `#!/bin/sh\necho "${name} $*" >> "$STATE/calls"\n${text}\n`);
    await chmod(path, 0o755);
  }
  for (const name of ['passwd', 'show', 'journal', 'calls', 'lingers'])
    await writeFile(join(state, name), '');
  if (isBooted) await mkdir(join(root, 'run/systemd/system'), { recursive: true });
  const put = async (path: string, text = '', mode = 0o644): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(root, path), text, { mode });
  };
  await put(nodePath);
  await put(programPath);
  const machine: ServiceMachine = {
    platform: 'linux',
    uid,
    node: nodePath,
    program: programPath,
    root,
    run: runWith({ PATH: `${bin}:/usr/bin:/bin`, STATE: state }),
  };

  /** `qualinet service …` on this machine, with parsed options. */
  const command = async (
    action: string,
    options: Readonly<Record<string, unknown>> = {},
    given: Parameters<typeof testContext>[0] = {},
  ) => {
    const surroundings = testContext({
      cwd: '/work',
      ...given,
      env: { HOME: join(folder, 'home'), QUALINET_HOME: home, ...env, ...given.env },
    });
    const parsed = service.options.safeParse({ args: [action], ...options });
    if (!parsed.success) throw new UsageError(parsed.error.message);
    const code = await runServiceCommand(parsed.data as never, surroundings.context, machine);
    return { code, out: surroundings.out(), err: surroundings.err() };
  };
  return {
    command,
    machine,
    root,
    home,
    put,
    read: (path: string) => readFile(join(root, path), 'utf8'),
    set: (name: string, text = '') => writeFile(join(state, name), text),
    /** What was called, without questions. */
    calls: async () =>
      (await readFile(join(state, 'calls'), 'utf8'))
        .split('\n')
        .filter(
          (line) => line !== '' && !/^(getent|loginctl show-user|systemctl (--user )?--version)/.test(line),
        ),
  };
}
