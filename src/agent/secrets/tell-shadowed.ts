import type { LocalSecrets } from '../../flow/local-secrets.ts';
import type { Variables } from '../../flow/variables.ts';
import type { Log } from '../../lib/log.ts';

/** Says once of each name that a variable of a flow is not used because this machine has a secret of that name. */
export function shadowTeller({ names }: LocalSecrets, log: Log): (variables: Variables) => void {
  const told = new Set<string>();
  return (variables) => {
    for (const name of names.filter((each) => Object.hasOwn(variables, each) && !told.has(each))) {
      told.add(name);
      log.warn(`the variable ${name} of the flow is not used: this machine has a secret of that name`);
    }
  };
}
