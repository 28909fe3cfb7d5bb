import { EnvironmentError } from '../../lib/errors.ts';
import { isSystemdRunning, type ProgramEnd, type ServiceMachine } from './service-machine.ts';

/** The service manager of the system, or that of the user. */
export interface Systemctl {
  /** Runs `systemctl`; throws EnvironmentError with what it said when it fails. */
  must(...args: readonly string[]): Promise<void>;
  try(...args: readonly string[]): Promise<ProgramEnd>;
  /** The last lines of the unit's log. */
  journal(unit: string): Promise<string[]>;
}

/** How it is called. */
export function systemctlOf({ run }: ServiceMachine, isUserUnit: boolean): Systemctl {
  const scope = isUserUnit ? ['--user'] : [];
  const tryIt = (...args: readonly string[]): Promise<ProgramEnd> => run('systemctl', [...scope, ...args]);
  return {
    try: tryIt,
    async must(...args) {
      const { code, stderr } = await tryIt(...args);
      if (code === 0) return;
      throw new EnvironmentError(`systemctl ${[...scope, ...args].join(' ')} failed: ${stderr.trim()}`);
    },
    async journal(unit) {
      const args = [
        isUserUnit ? '--user-unit' : '--unit',
        unit,
        '--lines',
        '15',
        '--no-pager',
        '--output',
        'cat',
      ];
      const { stdout } = await run('journalctl', args);
      return stdout.split('\n').filter((line) => line.trim() !== '');
    },
  };
}

/** Throws EnvironmentError that says what else there is where systemd does not run the machine. */
export async function requireSystemd(machine: ServiceMachine): Promise<void> {
  if (machine.platform === 'linux' && (await isSystemdRunning(machine))) return;
  throw new EnvironmentError(
    'systemd does not run here, so that there is nothing to install a service into',
    {
      hint: 'In containers: qualinet service print --compose. Under another supervisor let it run "qualinet start", and start it again unless it ended with 64, 77 or 78.',
    },
  );
}
