import { counted } from '../../lib/counted.ts';
import { exitCode, exitCodeMeaning } from '../../lib/exit-code.ts';
import type { Systemctl } from './systemctl.ts';

/** How systemd sees a service. */
export interface ServiceState {
  isInstalled: boolean;
  /** systemd's own words: `active`, `inactive`, `failed`, `activating`, … and in more detail `running`, `auto-restart`, … */
  activeState: string;
  subState: string;
  /** `enabled` when it starts with the machine. */
  unitFileState: string;
  /** What the runner says it does; empty when it says nothing. */
  statusText: string;
  mainPid: number | null;
  restarts: number;
  since: string;
  unitPath: string;
  /** Exit code of the last process, null while there is none. */
  lastExitCode: number | null;
}

const properties = [
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'StatusText',
  'MainPID',
  'NRestarts',
  'StateChangeTimestamp',
  'FragmentPath',
  'ExecMainCode',
  'ExecMainStatus',
];

/** Asks systemd. */
export async function readServiceState(systemctl: Systemctl, name: string): Promise<ServiceState> {
  const { stdout } = await systemctl.try('show', `${name}.service`, `--property=${properties.join(',')}`);
  const read = Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  ) as Readonly<Record<string, string>>;
  const text = (property: string): string => read[property] ?? '';
  // 1: the process ended by itself; others were ended by a signal. Source: CLD_EXITED of waitid(2).
  const hasExited = text('ExecMainCode') === '1';
  return {
    isInstalled: text('LoadState') === 'loaded',
    activeState: text('ActiveState'),
    subState: text('SubState'),
    unitFileState: text('UnitFileState'),
    statusText: text('StatusText'),
    mainPid: Number(text('MainPID')) || null,
    restarts: Number(text('NRestarts')) || 0,
    since: text('StateChangeTimestamp'),
    unitPath: text('FragmentPath'),
    lastExitCode: hasExited ? Number(text('ExecMainStatus')) : null,
  };
}

/** 0 while it is active; 78 without one; the runner's own code where it ended with one; 75 while it is started again or was stopped. */
export function exitCodeOf({ isInstalled, activeState, lastExitCode }: ServiceState): number {
  if (!isInstalled) return exitCode.notReady;
  if (activeState === 'active') return exitCode.done;
  const isKnown = lastExitCode !== null && lastExitCode !== 0 && exitCodeMeaning[lastExitCode] !== undefined;
  return isKnown && activeState !== 'activating' ? lastExitCode : exitCode.temporary;
}

/** The state for people, one line each. */
export function serviceLines(name: string, state: ServiceState): string[] {
  const { activeState, subState, mainPid, restarts, since, unitFileState, statusText, lastExitCode } = state;
  const more = [
    ...(mainPid === null ? [] : [`process ${mainPid}`]),
    ...(since === '' ? [] : [`since ${since}`]),
    ...(restarts === 0 ? [] : [`started again ${counted(restarts, 'time')}`]),
  ];
  const meaning = lastExitCode === null ? undefined : exitCodeMeaning[lastExitCode];
  const isUp = activeState === 'active';
  return [
    `service:  ${name} is ${activeState} (${[subState, ...more].join(', ')})`,
    ...(statusText === '' || !isUp ? [] : [`          ${statusText}`]),
    ...(isUp || lastExitCode === null
      ? []
      : [`it ended: with ${lastExitCode}${meaning === undefined ? '' : `, ${meaning}`}`]),
    `at boot:  ${unitFileState === 'enabled' ? 'started' : `not started (${unitFileState || 'unknown'})`}`,
  ];
}
