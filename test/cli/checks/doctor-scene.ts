import { onTestFinished } from 'vitest';
import { readAgentConfig } from '../../../src/agent/config/agent-config.ts';
import { withNeeds } from '../../../src/cli/checks/check-table.ts';
import { type Machine, thisMachine } from '../../../src/cli/checks/machine.ts';
import type { CheckResult } from '../../../src/cli/checks/report.ts';
import { runChecks } from '../../../src/cli/checks/run-checks.ts';
import { openScene, type Scene } from '../../../src/cli/checks/scene.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { testContext } from '../../support/test-context.ts';

interface Surroundings {
  home?: string;
  env?: Record<string, string>;
  /** As the command line gives them. */
  flags?: Record<string, string>;
  machine?: Partial<Machine>;
  idleHoldsMs?: readonly number[];
}

/** Looks at something as `qualinet doctor` does, on this machine but for what is given. Ends with the test. */
export async function doctorScene({
  home,
  env = {},
  flags = {},
  machine = {},
  idleHoldsMs,
}: Surroundings = {}): Promise<{
  home: string;
  scene: Scene;
  /** What one check finds, with those that it needs before it. */
  look(name: string): Promise<CheckResult>;
}> {
  const folder = home ?? (await tempFolder());
  const { context } = testContext({ env: { QUALINET_HOME: folder, ...env } });
  const scene = openScene({
    config: readAgentConfig(context.env, flags),
    headed: false,
    apiFlag: flags['api'] ?? null,
    context,
    machine: { ...thisMachine(), ...machine },
    clock: systemClock,
    ...(idleHoldsMs === undefined ? {} : { idleHoldsMs }),
  });
  onTestFinished(() => scene.close());
  return {
    home: folder,
    scene,
    async look(name) {
      const results = await runChecks(withNeeds(new Set([name])), scene, {
        clock: systemClock,
        isDeep: true,
        signal: new AbortController().signal,
        onResult: () => {},
      });
      const found = results.find((result) => result.name === name);
      if (found === undefined) throw new Error(`there is no check ${name}`);
      return found;
    },
  };
}

/** Files of a system by path; nothing else is there. */
export function files(texts: Readonly<Record<string, string>>): Pick<Machine, 'readText'> {
  return { readText: async (path) => texts[path] ?? null };
}
