import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RunnerUnit, runnerUnit } from '../../../src/cli/systemd/runner-unit.ts';
import { environmentFileLine } from '../../../src/cli/systemd/unit-value.ts';
import { analyzeUnit, analyzeVersion } from '../../support/systemd-analyze.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { readUnit, wordsOf } from './read-unit.ts';

const plain: RunnerUnit = {
  name: 'qualinet',
  isUserUnit: false,
  node: process.execPath,
  program: '/usr/lib/node_modules/@qualitas-id/qualinet/bin/qualinet.js',
  startArguments: ['--concurrency', '2'],
  home: '/var/lib/qualinet',
  environment: { QUALINET_HOME: '/var/lib/qualinet' },
  environmentFile: '/etc/qualinet/qualinet.env',
  credentials: {},
  drainMs: 300_000,
  systemdVersion: 252,
};
const unitWith = (over: Partial<RunnerUnit> = {}): string => runnerUnit({ ...plain, ...over });
const directives = (text: string) => {
  const read = readUnit(text);
  return (key: string) => read.filter((directive) => directive.key === key).map(({ value }) => value);
};

/** What somebody may have in a path or an option, and what a unit would make of it unless it is written with care. */
const hostile = [
  'with space',
  '$HOME',
  `$\{HOME}`,
  '$$',
  '%h',
  '%%',
  '100%',
  '"quoted"',
  "it's",
  'back\\slash\\',
  ';',
  '\\;',
  '',
  '#none',
  '*',
  'é 漢',
  '-x',
  '@x',
  '`id`$(id)|&<>',
  ' both ends ',
];

describe('the unit of a runner', () => {
  it('starts the installed program by absolute paths, and is started again unless only a person can help', () => {
    const of = directives(unitWith());
    expect(of('ExecStart')).toEqual([`${plain.node} ${plain.program} start --concurrency 2`]);
    expect(of('Restart')).toEqual(['always']);
    expect(of('RestartSec')).toEqual(['5']);
    expect(of('StartLimitIntervalSec')).toEqual(['0']);
    expect(of('RestartPreventExitStatus')).toEqual(['64 77 78']);
    // A stop that ran out of drain time handed its runs back: that is no failure of the unit.
    expect(of('SuccessExitStatus')).toEqual(['143']);
    expect(of('Type')).toEqual(['notify']);
    expect(of('NotifyAccess')).toEqual(['all']);
    expect(of('WatchdogSec')).toEqual(['60']);
    expect(of('TimeoutAbortSec')).toEqual(['10']);
    expect(of('LimitCORE')).toEqual(['0']);
    expect(of('KillMode')).toEqual(['mixed']);
    expect(of('OOMPolicy')).toEqual(['continue']);
    expect(of('User')).toEqual(['qualinet']);
    expect(of('StateDirectory')).toEqual(['qualinet']);
    expect(of('Environment')).toEqual(['QUALINET_HOME=/var/lib/qualinet']);
    expect(of('EnvironmentFile')).toEqual(['-/etc/qualinet/qualinet.env']);
    expect(of('WantedBy')).toEqual(['multi-user.target']);
  });

  it.each([
    [300_000, '330'],
    [0, '30'],
    [1_500, '32'],
    [86_400_000, '86430'],
  ])('lets a drain of %i ms end: TimeoutStopSec is %s', (drainMs, seconds) => {
    expect(directives(unitWith({ drainMs }))('TimeoutStopSec')).toEqual([seconds]);
  });

  it('waits longer with each restart where systemd can', () => {
    expect(directives(unitWith({ systemdVersion: 253 }))('RestartSteps')).toEqual([]);
    expect(directives(unitWith({ systemdVersion: null }))('RestartSteps')).toEqual([]);
    const of = directives(unitWith({ systemdVersion: 254 }));
    expect([of('RestartSteps'), of('RestartMaxDelaySec')]).toEqual([['6'], ['300']]);
  });

  it('is shut in as far as Node.js and the sandbox of Chromium allow', () => {
    const of = directives(unitWith());
    const wanted = {
      ProtectSystem: 'strict',
      NoNewPrivileges: 'yes',
      CapabilityBoundingSet: '',
      AmbientCapabilities: '',
      ProtectProc: 'invisible',
      RestrictAddressFamilies: 'AF_UNIX AF_INET AF_INET6',
      RestrictNamespaces: 'user pid net',
      SystemCallFilter: '@system-service chroot seccomp',
      SystemCallErrorNumber: 'EPERM',
      SystemCallArchitectures: 'native',
      KeyringMode: 'private',
      DevicePolicy: 'closed',
      UMask: '0077',
      StateDirectoryMode: '0700',
    };
    for (const [key, value] of Object.entries(wanted)) expect([key, of(key)]).toEqual([key, [value]]);
    const on = [
      ...['ProtectHome', 'PrivateTmp', 'PrivateDevices', 'PrivateUsers', 'ProtectKernelTunables'],
      ...[
        'ProtectKernelModules',
        'ProtectKernelLogs',
        'ProtectControlGroups',
        'ProtectClock',
        'ProtectHostname',
      ],
      ...['RestrictSUIDSGID', 'LockPersonality', 'RestrictRealtime', 'RemoveIPC'],
    ];
    for (const key of on) expect([key, of(key)]).toEqual([key, ['yes']]);
    // Each of these breaks Node.js or the sandbox.
    for (const key of ['MemoryDenyWriteExecute', 'ProcSubset', 'DynamicUser']) expect(of(key)).toEqual([]);
  });

  it('of one user has no user, folder or mounts of its own, and the same filter of system calls', () => {
    const of = directives(unitWith({ isUserUnit: true }));
    for (const key of [
      'User',
      'Group',
      'StateDirectory',
      'ProtectSystem',
      'ProtectHome',
      'PrivateTmp',
      'PrivateUsers',
      'After',
    ])
      expect([key, of(key)]).toEqual([key, []]);
    expect(of('SystemCallFilter')).toEqual(['@system-service chroot seccomp']);
    expect(of('NoNewPrivileges')).toEqual(['yes']);
    expect(of('WantedBy')).toEqual(['default.target']);
  });

  it('passes on every argument, variable and path as it was written', () => {
    const node = '/opt/no de/%n$x"\\/node';
    const of = directives(
      unitWith({
        node,
        program: '/opt/a b/%i/$y.js',
        startArguments: hostile,
        environment: Object.fromEntries(hostile.map((value, index) => [`V${index}`, value])),
        credentials: { 'qualinet.secrets': '/etc/a b/%c"$.json' },
      }),
    );
    const [command = ''] = of('ExecStart');
    expect(wordsOf(command, { variables: true })).toEqual([node, '/opt/a b/%i/$y.js', 'start', ...hostile]);
    expect(of('Environment').flatMap((value) => wordsOf(value))).toEqual(
      hostile.map((value, index) => `V${index}=${value}`),
    );
    expect(of('LoadCredential')).toEqual(['qualinet.secrets:/etc/a b/%%c"$.json']);
  });
});

describe('systemd itself', () => {
  it('has nothing against the unit, and reads the same command from it', async () => {
    if (analyzeVersion() === null) return;
    const { complaints, execStart } = await analyzeUnit(unitWith({ startArguments: hostile }));
    expect(complaints).toEqual([]);
    // It doubles no dollar back before it runs the command.
    const doubled = hostile.map((text) => text.replaceAll('$', '$$$$'));
    expect(execStart).toEqual([plain.node, plain.program, 'start', ...doubled]);
  });

  it('has nothing against the unit of a user', async () => {
    if (analyzeVersion() === null) return;
    expect((await analyzeUnit(unitWith({ isUserUnit: true }))).complaints).toEqual([]);
  });

  it('complains where there is something to complain about', async () => {
    if (analyzeVersion() === null) return;
    const spoilt = `${unitWith()}\n[Service]\nRestartNever=5\nWatchdogSec=soon\n`;
    expect((await analyzeUnit(spoilt)).complaints.length).toBeGreaterThanOrEqual(2);
  });

  it('finds the unit as little exposed as when it was written: 2.3 of 10', async () => {
    // Before version 250 a unit cannot be judged without being loaded.
    if ((analyzeVersion() ?? 0) < 250) return;
    expect((await analyzeUnit(unitWith())).exposure).toBeLessThanOrEqual(2.3);
  });
});

describe('the environment file', () => {
  it('holds values that a shell, and systemd, read as they were', async () => {
    const path = join(await tempFolder(), 'env');
    await writeFile(path, hostile.map((value, index) => environmentFileLine(`V${index}`, value)).join(''));
    const names = hostile.map((_, index) => `"$V${index}"`).join(' ');
    const { stdout } = spawnSync('sh', ['-c', `. ${path}; printf '%s\\0' ${names}`], { encoding: 'utf8' });
    expect(stdout.split('\0').slice(0, -1)).toEqual(hostile);
  });
});
