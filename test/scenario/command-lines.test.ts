import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { qualinetBridge } from '../../src/bridge/cli/command-table.ts';
import { qualinet } from '../../src/cli/command-table.ts';
import { declaredArguments } from '../../src/command-line/declared.ts';
import { bridgeProgram, programEnv, runnerProgram } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const programs = [
  { program: qualinet, path: runnerProgram },
  { program: qualinetBridge, path: bridgeProgram },
];
const entries = programs.flatMap(({ program, path }) =>
  program.commands.map((entry) => ({ program, path, entry })),
);

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function run(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, [...args], { env: programEnv(env) }, (error, out, err) => {
      if (error?.code === 'ENOENT') reject(new Error(`${file} is not installed; this test needs it`));
      else resolve({ code: child.exitCode, out, err });
    });
    child.stdin?.end();
  });
}

const node = (path: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  run(process.execPath, [path, ...args], env);

describe('every command as a process', () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/commands.md'), 'utf8');

  it.each(entries)('$program.name $entry.name --help is what docs/commands.md says', async (row) => {
    const { code, out, err } = await node(row.path, [row.entry.name, '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(document).toContain(`### ${row.program.name} ${row.entry.name}\n\n\`\`\`\n${out}\`\`\`\n`);
  });

  it.each(entries)(
    '$program.name $entry.name refuses an unknown option, as text and as one JSON object',
    async (row) => {
      const args = declaredArguments(row.entry).map(() => row.entry.actions?.[0] ?? 'x');
      const plain = await node(row.path, [row.entry.name, ...args, '--frobnicate']);
      expect(plain).toMatchObject({ code: 64, out: '' });
      expect(plain.err).toContain(`unknown option "--frobnicate"`);
      expect(plain.err).toContain(`${row.program.name} ${row.entry.name} --help`);
      const json = await node(row.path, [row.entry.name, ...args, '--json', '--frobnicate']);
      expect(json.code).toBe(64);
      expect(json.out.endsWith('}\n')).toBe(true);
      expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'usage' } });
    },
  );

  const uuid = '0f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11';
  it.each([
    [runnerProgram, ['pair', '--json'], 64, 'usage'],
    [runnerProgram, ['pair', '12', '--api', 'http://127.0.0.1:1', '--json'], 64, 'usage'],
    [
      runnerProgram,
      ['pair', '000000', '--api', 'http://127.0.0.1:1', '--json', '--force'],
      69,
      'api_unavailable',
    ],
    [runnerProgram, ['run', 'nowhere.json', '--json'], 64, 'usage'],
    [runnerProgram, ['status', '--json'], 78, 'not_paired'],
    [runnerProgram, ['unpair', '--json'], 78, 'not_paired'],
    [runnerProgram, ['install-browser', '--json'], 78, 'environment'],
    [bridgeProgram, ['code', '--json'], 78, 'environment'],
    [bridgeProgram, ['runners', '--json'], 78, 'environment'],
    [bridgeProgram, ['approve', uuid, '--json'], 78, 'environment'],
    [bridgeProgram, ['runs', '--json'], 78, 'environment'],
    [bridgeProgram, ['why', uuid, '--api', 'http://127.0.0.1:1', '--json'], 69, 'api_unavailable'],
    [bridgeProgram, ['cancel', 'not-an-id', '--json'], 64, 'usage'],
    [bridgeProgram, ['submit', 'nowhere.json', '--json'], 64, 'usage'],
  ] as const)('%s %j that fails is one JSON object on standard output', async (path, args, exit, error) => {
    const home = await tempFolder();
    const { code, out, err } = await node(path, args, {
      QUALINET_HOME: home,
      QUALINET_DATA_DIR: join(home, 'bridge'),
      QUALINET_ADMIN_TOKEN: 'a-token-of-sixteen-or-more',
      QUALINET_BROWSER: '/nowhere/chromium',
      ...(args[0] === 'code' || args[0] === 'runners' ? { QUALINET_ADMIN_TOKEN: '' } : {}),
    });
    expect(code, err).toBe(exit);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: error, message: expect.any(String) } });
    expect(err).toContain('error: ');
  });

  it('tells errors of a runner that stays as JSON lines where there is no terminal', async () => {
    const home = await tempFolder();
    const env = { QUALINET_HOME: home, QUALINET_ALLOW_ROOT: 'true' };
    const { code, out, err } = await node(runnerProgram, ['start'], env);
    expect([code, out]).toEqual([78, '']);
    const lines = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      code: 'not_paired',
      hint: expect.stringContaining('pair'),
    });
    const text = await node(runnerProgram, ['start', '--log-format', 'text'], env);
    expect(text.err).toContain('error: this machine is not paired');
  });

  it.each([runnerProgram, bridgeProgram])('%s ends in order when its reader has gone', async (path) => {
    for (const args of ['help environment', '--help', '--version', 'status --json']) {
      const script = `"${process.execPath}" "${path}" ${args} | true; echo "\${PIPESTATUS[0]}"`;
      const { out, err } = await run('bash', ['-c', script], { QUALINET_HOME: await tempFolder() });
      expect(out.trim()).toBe(args.startsWith('status') ? (path === runnerProgram ? '78' : '64') : '0');
      expect(err).not.toMatch(/EPIPE|\n +at /);
    }
  });
});

describe('Ctrl-C at a question', () => {
  it.each([
    ['pair', 'Pairing code'],
    ['start', 'Pair it now?'],
  ])('of "qualinet %s" ends it and leaves the terminal as it was', async (command, question) => {
    const home = await tempFolder();
    const inner = [
      'trap : INT',
      'before=$(stty -g)',
      `"${process.execPath}" "${runnerProgram}" ${command}`,
      'echo "code=$?"',
      '[ "$(stty -g)" = "$before" ] && echo terminal=same',
    ].join('; ');
    // util-linux's script gives the program a terminal of its own.
    const terminal = spawn('script', ['-qec', inner, '/dev/null'], {
      env: programEnv({
        QUALINET_HOME: home,
        QUALINET_ALLOW_ROOT: 'true',
        API_BASE_URL: 'http://127.0.0.1:1',
        SHELL: '/bin/bash',
      }),
    });
    let said = '';
    terminal.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    const ended = new Promise((resolve) => terminal.once('close', resolve));
    await until('it asks', () => said.includes(question));
    terminal.stdin.write('\u0003');
    await until('it has ended', () => said.includes('code='));
    terminal.stdin.end();
    await ended;
    expect(said).toMatch(command === 'pair' ? /code=130/ : /code=0/);
    expect(said).toContain('terminal=same');
    expect(said).not.toContain('the runs under way');
    expect(said).not.toMatch(/\n +at /);
  });
});

describe('completion in a real shell', () => {
  /** A folder for PATH in which both programs are what the shell calls. */
  async function onPath(): Promise<{ PATH: string }> {
    const folder = await tempFolder();
    await symlink(runnerProgram, join(folder, 'qualinet'));
    await symlink(bridgeProgram, join(folder, 'qualinet-bridge'));
    for (const path of [runnerProgram, bridgeProgram]) await chmod(path, 0o755);
    return { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  }

  async function inFolder(script: string): Promise<string> {
    const folder = await tempFolder();
    await writeFile(join(folder, 'tea flow.json'), '{}');
    return `cd '${folder}' && mkdir shots\n${script}`;
  }

  it('of bash completes words, values, files and folders, and runs nothing of what is typed', async () => {
    const script = await inFolder(`
source <(qualinet completion bash)
source <(qualinet-bridge completion bash)
try() {
  COMP_LINE=$1 COMP_POINT=\${#1}; shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  "_\${1//-/_}_completion"
  (IFS='|'; echo "\${COMPREPLY[*]}")
}
try 'qualinet unp' qualinet unp
try 'qualinet run --network ' qualinet run --network ''
try 'qualinet run --network=l' qualinet run --network = l
try 'qualinet run --network=' qualinet run --network =
try 'qualinet pair --api http://x --nam' qualinet pair --api http : //x --nam
try 'qualinet run te' qualinet run te
try 'qualinet run --screenshots=s' qualinet run --screenshots = s
try 'qualinet run --var A= --js' qualinet run --var A = --js
try 'qualinet run --var A= ' qualinet run --var A = ''
try 'qualinet-bridge undr' qualinet-bridge undr
try 'qualinet run "$(touch ran)" --js' qualinet run '"$(touch ran)"' --js
[ -e ran ] && echo ran || echo nothing ran
`);
    const { out, err } = await run('bash', ['--norc', '-c', script], await onPath());
    expect(err).toBe('');
    expect(out.split('\n')).toEqual([
      'unpair',
      'open|lan|public',
      'lan',
      'open|lan|public',
      '--name',
      'tea flow.json',
      'shots',
      '--json',
      expect.stringContaining('tea flow.json'),
      'undrain',
      '--json',
      'nothing ran',
      '',
    ]);
  });

  it('of fish completes words with their summaries, values and paths', async () => {
    const script = await inFolder(`
qualinet completion fish | source
for line in 'qualinet unp' 'qualinet run --network ' 'qualinet run --network=l' 'qualinet run te' 'qualinet run --screenshots=s'
  complete -C $line
end
`);
    const { out, err } = await run('fish', ['--no-config', '-c', script], await onPath());
    expect(err).toBe('');
    expect(out.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^unpair\tRevoke the credentials/),
      'lan',
      'open',
      'public',
      '--network=lan',
      'tea flow.json',
      expect.stringMatching(/^--screenshots=shots\/\t/),
    ]);
  });

  it('of zsh completes words, values and paths at its prompt', async () => {
    const script = await inFolder(`
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source <(qualinet completion zsh); print re""ady'
zpty -r shell seen '*ready*'
# The completed line is printed instead of run: push it into a variable with a widget.
zpty -w shell 'show() { print -r -- "<$BUFFER>"; BUFFER=; zle redisplay }; zle -N show; bindkey "^T" show; print bo""und'
zpty -r shell seen '*bound*'
for line in 'qualinet unp' 'qualinet run --netw' 'qualinet run --network=l' 'qualinet run te' 'qualinet run --screenshots s'; do
  zpty -w -n shell "$line"$'\\t\\x14'
  zpty -r shell seen '*<qualinet*>*'
  print -r -- "\${\${seen##*<}%%>*}"
done
`);
    const { out, err } = await run('zsh', ['-f', '-c', script], { ...(await onPath()), TERM: 'dumb' });
    expect(err).toBe('');
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([
      'qualinet unpair',
      'qualinet run --network',
      'qualinet run --network=lan',
      'qualinet run tea\\ flow.json',
      'qualinet run --screenshots shots/',
    ]);
  });
});
