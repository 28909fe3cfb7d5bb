import { type Check, failed, ok } from './check.ts';

/** Source: `engines` of package.json; the start of the program refuses older ones, too. */
const least = [20, 19] as const;

export const nodeVersion: Check = {
  name: 'node',
  title: 'Node',
  needs: [],
  fix: 'Install Node 20.19 or newer from https://nodejs.org',
  async run({ machine }) {
    const [major = 0, minor = 0] = machine.nodeVersion.split('.').map(Number);
    const isNewEnough = major > least[0] || (major === least[0] && minor >= least[1]);
    return isNewEnough
      ? ok(machine.nodeVersion)
      : failed(
          `${machine.nodeVersion} is too old; ${least.join('.')} is the oldest that works`,
          nodeVersion.fix,
        );
  },
};
