import { proxySettings } from './proxy-settings.ts';
import type { Environment } from './setting.ts';

/** Variables that a runner gets from the service it is, by name. */
export function serviceEnvironment({
  home,
  drainMs,
}: {
  home: string;
  drainMs: number;
}): Record<string, string> {
  return { QUALINET_HOME: home, QUALINET_DRAIN_SECONDS: String(drainMs / 1_000) };
}

/** The variable that names a file of secrets, for containers, which get it under a path of their own. */
export const secretsVariable = 'QUALINET_SECRETS';

/** What `env` says about the way to the bridge: proxies, and the authorities behind them. */
export function networkVariables(env: Environment): Record<string, string> {
  const names = Object.values(proxySettings).flatMap(({ variables }) => variables);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined || value === '' ? [] : [[name, value] as const];
    }),
  );
}

/** Names of the runner's own settings in `env`, which a service does not inherit. */
export function settingNames(env: Environment): string[] {
  const taken = ['QUALINET_HOME', 'QUALINET_DRAIN_SECONDS'];
  return Object.keys(env)
    .filter((name) => name.startsWith('QUALINET_') && !taken.includes(name) && env[name] !== '')
    .sort();
}

/** Of `env` only what decides how long a drain takes: nothing else of a shell says how a service is to run. */
export function drainVariable(env: Environment): Environment {
  return { QUALINET_DRAIN_SECONDS: env['QUALINET_DRAIN_SECONDS'] };
}
