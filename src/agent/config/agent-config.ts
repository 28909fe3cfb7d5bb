import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { bridgeSettings } from './bridge-settings.ts';
import { browserSettings } from './browser-settings.ts';
import { lifeSettings } from './life-settings.ts';
import { networkSettings } from './network-settings.ts';
import { policySettings } from './policy-settings.ts';
import { proxySettings } from './proxy-settings.ts';
import { type SecretVariable, secretSettings, secretVariables } from './secret-settings.ts';
import { type Environment, type Flags, readSettings, type ValuesOf } from './setting.ts';

/** What decides how flows are executed here, with a server or without one. */
const engineSettings = {
  ...proxySettings,
  ...browserSettings,
  ...networkSettings,
  ...secretSettings,
  ...policySettings,
};

/** Everything the runner can be told from outside. This folder alone knows the names of environment variables. */
export const agentSettings = { ...bridgeSettings, ...engineSettings, ...lifeSettings };

type Values = ValuesOf<typeof agentSettings>;

/** How this machine reaches others: proxies (an empty text means none), and the certificates it trusts besides the usual ones. */
export type ProxySettings = Pick<Values, keyof typeof proxySettings>;

/** How flows are executed here, checked. */
export type EngineConfig = Omit<ValuesOf<typeof engineSettings>, keyof ProxySettings> & {
  /** Folder of credentials, spool, status and browsers. */
  readonly home: string;
  readonly proxy: ProxySettings;
  readonly secretVariables: readonly SecretVariable[];
};

/** Everything the runner was told, checked. */
export type AgentConfig = EngineConfig &
  Omit<ValuesOf<typeof bridgeSettings>, 'isManagedPairAllowed'> &
  ValuesOf<typeof lifeSettings>;

/** The runner's home: QUALINET_HOME, else `~/.qualinet`. */
export function agentHome(env: Environment): string {
  return resolve(env['QUALINET_HOME'] || join(homedir(), '.qualinet'));
}

/** Reads environment and flags. Throws UsageError with every problem at once, each naming its variable and flag. */
export function readAgentConfig(env: Environment, flags: Flags = {}): AgentConfig {
  const { isManagedPairAllowed, managedPairSecret, ...rest } = readSettings(agentSettings, env, flags);
  return Object.freeze({
    ...engineConfigOf(rest, env),
    managedPairSecret: isManagedPairAllowed ? managedPairSecret : null,
  });
}

/** The part of it that needs no server. Variables that are about a bridge may be wrong. */
export function readEngineConfig(env: Environment, flags: Flags = {}): EngineConfig {
  return Object.freeze(engineConfigOf(readSettings(engineSettings, env, flags), env));
}

function engineConfigOf<Some extends ProxySettings>(
  { httpProxy, httpsProxy, noProxy, extraCas, nodeExtraCaFile, ...rest }: Some,
  env: Environment,
): Omit<Some, keyof ProxySettings> & Pick<EngineConfig, 'home' | 'proxy' | 'secretVariables'> {
  const proxy = Object.freeze({ httpProxy, httpsProxy, noProxy, extraCas, nodeExtraCaFile });
  return { ...rest, home: agentHome(env), proxy, secretVariables: secretVariables(env) };
}
