import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { labelsSchema } from '../protocol/messages.ts';
import { fieldPath } from '../protocol/problem.ts';

// The one file of the runner that knows the names of environment variables.

// Source of both: system.md, §5 and §6.
const defaultSpoolMib = 200;
const defaultDrainSeconds = 5 * 60;

/** Variables of a process by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of the command line that stand over the environment. */
export interface AgentFlags {
  api?: string | undefined;
  name?: string | undefined;
  /** Separated by commas. */
  labels?: string | undefined;
  browser?: string | undefined;
  concurrency?: string | undefined;
}

/** Proxies as undici takes them; an empty text means none. */
export interface ProxySettings {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** Everything the runner is told from outside, checked. */
export interface AgentConfig {
  /** Folder of credentials, spool and status. */
  readonly home: string;
  /** Address of the bridge without a slash at the end; null when nothing names one (a paired runner has its own). */
  readonly apiBaseUrl: string | null;
  /** Only for unpaired containers of the operator's own. */
  readonly workerSecret: Secret | null;
  /** Present when QUALINET_ALLOW_MANAGED_PAIR is `true`. */
  readonly managedPairSecret: Secret | null;
  /** Path of the Chromium to use; null for whatever is found. */
  readonly browserPath: string | null;
  readonly proxy: ProxySettings;
  readonly name: string | null;
  readonly labels: readonly string[];
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Most that is kept on disk for the bridge. */
  readonly spoolBytes: number;
  /** Longest a runner that was told to end finishes its runs. */
  readonly drainMs: number;
}

/** The runner's home: QUALINET_HOME, else `~/.qualinet`. */
export function agentHome(env: Environment): string {
  return resolve(env['QUALINET_HOME'] || join(homedir(), '.qualinet'));
}

/** The Chromium somebody named, by `--browser` or QUALINET_BROWSER; null for whatever is found. */
export function namedBrowserPath(env: Environment, flag?: string): string | null {
  return flag || env['QUALINET_BROWSER'] || null;
}

/** Reads environment and flags. Throws UsageError with every problem at once, each naming its variable and flag. */
export function readAgentConfig(env: Environment, flags: AgentFlags = {}): AgentConfig {
  const parsed = schema.safeParse({
    apiBaseUrl: flags.api ?? env['API_BASE_URL'],
    workerSecret: env['WORKER_SECRET'],
    allowManagedPair: env['QUALINET_ALLOW_MANAGED_PAIR'],
    managedPairSecret: env['QUALINET_MANAGED_PAIR_SECRET'],
    browserPath: namedBrowserPath(env, flags.browser) ?? undefined,
    httpProxy: env['http_proxy'] ?? env['HTTP_PROXY'],
    httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'],
    noProxy: env['no_proxy'] ?? env['NO_PROXY'],
    name: flags.name,
    labels: flags.labels,
    concurrency: flags.concurrency,
    spoolBytes: env['QUALINET_SPOOL_MIB'],
    drainMs: env['QUALINET_DRAIN_SECONDS'],
  });
  if (!parsed.success) {
    throw new UsageError('the configuration is wrong', {
      problems: parsed.error.issues.map(({ path, message }) => {
        const source = sources[String(path[0])] ?? fieldPath(path);
        return `${source}: ${message}`;
      }),
    });
  }
  const { allowManagedPair, httpProxy, httpsProxy, noProxy, managedPairSecret, ...rest } = parsed.data;
  return Object.freeze({
    ...rest,
    home: agentHome(env),
    managedPairSecret: allowManagedPair ? managedPairSecret : null,
    proxy: Object.freeze({ httpProxy, httpsProxy, noProxy }),
  });
}

/** A bridge's address as it is stored and signed for; throws a text that says what is wrong with it. */
export function normaliseApiBaseUrl(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`"${written}" is no address; write https://…`);
  }
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password');
  if (url.search !== '' || url.hash !== '') throw new Error('must not hold a query or a fragment');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Where each setting comes from, for the messages. */
const sources: Readonly<Record<string, string>> = {
  apiBaseUrl: 'API_BASE_URL (--api)',
  workerSecret: 'WORKER_SECRET',
  allowManagedPair: 'QUALINET_ALLOW_MANAGED_PAIR',
  managedPairSecret: 'QUALINET_MANAGED_PAIR_SECRET',
  browserPath: 'QUALINET_BROWSER (--browser)',
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  name: '--name',
  labels: '--labels',
  concurrency: '--concurrency',
  spoolBytes: 'QUALINET_SPOOL_MIB',
  drainMs: 'QUALINET_DRAIN_SECONDS',
};

/** A variable set to nothing counts as not set: compose files write `${X:-}`. */
const optional = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text.trim() === '' ? null : text.trim()));

const wholeNumber = (least: number, most: number) =>
  optional
    .refine(
      (text) => text === null || (/^\d{1,7}$/.test(text) && Number(text) >= least && Number(text) <= most),
      `must be a whole number from ${least} to ${most}`,
    )
    .transform((text) => (text === null ? null : Number(text)));

const secret = (minimum: number) =>
  optional
    .refine((text) => text === null || text.length >= minimum, `must have at least ${minimum} characters`)
    .transform((text) => (text === null ? null : new Secret(text)));

const apiAddress = optional.transform((text, context) => {
  try {
    return text === null ? null : normaliseApiBaseUrl(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

/** `proxy:3128` is common; undici wants a scheme. */
const proxyAddress = optional.transform((text, context) => {
  if (text === null) return '';
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const scheme = URL.canParse(address) ? new URL(address).protocol : '';
  if (scheme === 'http:' || scheme === 'https:') return address;
  // The text itself is not repeated: it may hold a password.
  context.addIssue({ code: 'custom', message: 'is no address of an http proxy; write http://host:port' });
  return z.NEVER;
});

const schema = z.object({
  apiBaseUrl: apiAddress,
  workerSecret: secret(16),
  allowManagedPair: optional
    .refine((text) => text === null || text === 'true' || text === 'false', 'must be true or false')
    .transform((text) => text === 'true'),
  managedPairSecret: secret(32),
  browserPath: optional,
  httpProxy: proxyAddress,
  httpsProxy: proxyAddress,
  noProxy: optional.transform((text) => text ?? ''),
  name: optional.refine((text) => text === null || text.length <= 200, 'must have at most 200 characters'),
  labels: optional
    .transform((text) =>
      (text ?? '')
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== ''),
    )
    .pipe(labelsSchema),
  concurrency: wholeNumber(1, 64).transform((concurrency) => concurrency ?? 1),
  spoolBytes: wholeNumber(16, 1_000_000).transform((mib) => (mib ?? defaultSpoolMib) * 1024 ** 2),
  drainMs: wholeNumber(0, 86_400).transform((seconds) => (seconds ?? defaultDrainSeconds) * 1_000),
});
