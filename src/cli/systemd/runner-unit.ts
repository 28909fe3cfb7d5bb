import { exitCode } from '../../lib/exit-code.ts';
import { barePath, environmentValue, execArgument, execProgram } from './unit-value.ts';

/** What a unit is made from. */
export interface RunnerUnit {
  /** Name without `.service`; also of its user and folder. */
  name: string;
  /** A unit of one user, who owns the runner's home; otherwise one of the system, with a user and a folder of its own. */
  isUserUnit: boolean;
  node: string;
  program: string;
  /** What stands behind `qualinet start`. */
  startArguments: readonly string[];
  home: string;
  environment: Readonly<Record<string, string>>;
  environmentFile: string;
  /** Credentials by name with the file that holds each. */
  credentials: Readonly<Record<string, string>>;
  drainMs: number;
  /** Of the systemd that reads it; null where that is not known. */
  systemdVersion: number | null;
}

/** The first line of what `service install` wrote, by which it is known again. */
export const unitMark = '# Written by qualinet service install.';

/** A runner hands back what it could not finish within its drain time, delivers it and ends its browser: time for that. */
const afterDrainSeconds = 30;
/** Finding and starting a browser takes seconds, on a cold disk more. */
const startSeconds = 180;
const watchdogSeconds = 60;
/** First version that waits longer with each restart. */
const firstWithRestartSteps = 254;

/** The unit as text. */
export function runnerUnit(unit: RunnerUnit): string {
  const { name, isUserUnit, drainMs } = unit;
  const edit = `${isUserUnit ? 'systemctl --user edit' : 'sudo systemctl edit'} ${name}`;
  const never = [exitCode.usage, exitCode.credentialsRefused, exitCode.notReady].join(' ');
  return lines(
    unitMark,
    `# Changes of your own go beside it, or the next install overwrites them: ${edit}`,
    '[Unit]',
    'Description=qualinet runner: executes browser flows for its bridge',
    // Not network-online.target: it may wait for minutes, and a runner tries until its bridge answers.
    ...(isUserUnit ? [] : ['After=network.target nss-lookup.target']),
    '# It is started again for ever, unless only a person can help.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    '# systemd-notify, a process of its own, tells how the runner is.',
    'Type=notify',
    'NotifyAccess=all',
    `ExecStart=${[execProgram(unit.node), ...[unit.program, 'start', ...unit.startArguments].map(execArgument)].join(' ')}`,
    ...Object.entries(unit.environment).map(([key, value]) => `Environment=${environmentValue(key, value)}`),
    `EnvironmentFile=-${barePath(unit.environmentFile)}`,
    ...Object.entries(unit.credentials).map(([key, path]) => `LoadCredential=${key}:${barePath(path)}`),
    ...(isUserUnit
      ? []
      : [`User=${name}`, `Group=${name}`, `StateDirectory=${name}`, 'StateDirectoryMode=0700']),
    'UMask=0077',
    '',
    'Restart=always',
    'RestartSec=5',
    ...((unit.systemdVersion ?? 0) >= firstWithRestartSteps
      ? ['RestartSteps=6', 'RestartMaxDelaySec=300']
      : []),
    `# ${exitCode.usage}: the configuration is wrong. ${exitCode.credentialsRefused}: the credentials are over. ${exitCode.notReady}: not paired, or no browser.`,
    `RestartPreventExitStatus=${never}`,
    '# It was stopped and handed its runs back: no failure.',
    `SuccessExitStatus=${exitCode.terminated}`,
    `TimeoutStartSec=${startSeconds}`,
    `# QUALINET_DRAIN_SECONDS and ${afterDrainSeconds} s: what runs is finished first.`,
    `TimeoutStopSec=${Math.ceil(drainMs / 1_000) + afterDrainSeconds}`,
    '# The runner ends its browser itself: a signal to all would break the runs that it finishes.',
    'KillMode=mixed',
    `WatchdogSec=${watchdogSeconds}`,
    '# What is stuck is not waited for as long as what drains, and leaves no memory with secrets on disk.',
    'TimeoutAbortSec=10',
    'LimitCORE=0',
    '# A page that used up the memory costs its run, not the runner.',
    'OOMPolicy=continue',
    '#MemoryMax=4G',
    '#TasksMax=4096',
    '',
    ...(isUserUnit ? userHardening : systemHardening),
    '',
    '[Install]',
    `WantedBy=${isUserUnit ? 'default.target' : 'multi-user.target'}`,
  );
}

// Chromium's sandbox needs user, PID and network namespaces, chroot(2), and seccomp(2) for the filter of its own. A call that is refused must fail, not kill. What
// breaks it, or Node.js, and is left out on purpose: MemoryDenyWriteExecute=, ProcSubset=pid, RestrictNamespaces=yes.
const callHardening: readonly string[] = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
  '# Chromium builds its sandbox from these.',
  'RestrictNamespaces=user pid net',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service chroot seccomp',
  'SystemCallErrorNumber=EPERM',
];

const systemHardening: readonly string[] = [
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'DevicePolicy=closed',
  'PrivateUsers=yes',
  'CapabilityBoundingSet=',
  'AmbientCapabilities=',
  'ProtectProc=invisible',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'RemoveIPC=yes',
  'KeyringMode=private',
  ...callHardening,
];

// What needs mounts of its own does not work in units of users everywhere.
const userHardening: readonly string[] = callHardening;

function lines(...text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}
