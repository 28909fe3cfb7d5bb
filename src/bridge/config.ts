import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UsageError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { limits } from '../protocol/limits.ts';
import { isRelease } from '../protocol/release.ts';
import type { EndOfVersions } from './runners/served-versions.ts';
import type { Timing } from './timing.ts';
import { readTracing, type TracingConfig } from './tracing/tracing-config.ts';

/** The bridge's configuration, read once. Secrets that are null are made and kept in the data folder. */
export interface BridgeConfig {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What runners sign for and send to; null: `http://<host>:<port>`, for a loopback host only. No slash at the end. */
  readonly publicUrl: string | null;
  readonly workerSecret: Secret | null;
  /** Secrets that are being replaced: what was derived from them is still taken. */
  readonly previousWorkerSecrets: readonly Secret[];
  readonly adminToken: Secret | null;
  /** Null: managed pairing is off. */
  readonly managedPairSecret: Secret | null;
  /** Null: the embedded default, everything in {@link BridgeConfig.dataDir}. */
  readonly servers: ServersConfig | null;
  /** Null: the bridge keeps pictures itself. */
  readonly bucket: BucketConfig | null;
  /** Null: runs are not traced. */
  readonly tracing: TracingConfig | null;
  readonly dataDir: string;
  readonly trustedProxies: readonly string[];
  /** Null: runners of every version that speaks the protocol are served. */
  readonly endOfVersions: EndOfVersions | null;
  /** Times of leases, where they are not the usual ones. */
  readonly timing: Partial<Timing>;
}

/** The servers of an existing backend, shared by any number of bridges. */
export interface ServersConfig {
  readonly databaseUrl: Secret;
  readonly redisUrl: Secret;
  /** BullMQ queues that runs come by. */
  readonly queues: readonly string[];
  /** What the names of BullMQ's keys begin with; the backend's must be the same. */
  readonly queuePrefix: string;
}

/** A bucket that speaks S3, as Backblaze B2 does. */
export interface BucketConfig {
  readonly name: string;
  /** No slash at the end. */
  readonly endpoint: string;
  /** Null: taken from the endpoint's host name. */
  readonly region: string | null;
  readonly keyId: string;
  readonly applicationKey: Secret;
  /** Where objects are read: `<publicUrl>/<key>`. No slash at the end. */
  readonly publicUrl: string;
}

/** Where the bridge listens unless PORT says otherwise. */
export const defaultPort = 4870;

/** The queue of the original specification (section 7). */
const defaultQueue = 'test-queue';

const secret = (minimum: number) => z.string().min(minimum, `must have at least ${minimum} characters`);
const asSecret = (value: string) => new Secret(value);

const httpAddress = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .refine(isPlainAddress, 'must have no user name, no password, no query and no fragment')
  .transform((url) => new URL(url).href.replace(/\/+$/, ''));
const serverUrl = (protocol: RegExp, example: string) =>
  z
    .url({ protocol, error: `must be an address like ${example}` })
    .refine(
      hasEncodedPassword,
      'has "#", "/" or "@" where none can be; write those of a password percent-encoded: %23, %2F, %40',
    )
    .transform(asSecret);
const redisUrl = serverUrl(/^rediss?$/, 'redis://user:password@host:6379').refine(
  (url) => new URL(url.reveal()).hostname !== '',
  'names no host',
);
const seconds = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number of seconds')
    .transform(Number)
    .pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`));
const commaSeparated = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .pipe(z.number().max(65_535, 'must be at most 65535'))
    .default(defaultPort),
  PUBLIC_URL: httpAddress.optional(),
  WORKER_SECRET: secret(16).transform(asSecret).optional(),
  WORKER_SECRET_PREVIOUS: secret(16).transform(asSecret).optional(),
  QUALINET_ADMIN_TOKEN: secret(16)
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
    .transform(asSecret)
    .optional(),
  QUALINET_MANAGED_PAIR_SECRET: secret(32).transform(asSecret).optional(),
  QUALINET_ALLOW_MANAGED_PAIR: z.enum(['true', 'false'], 'must be true or false').default('false'),
  QUALINET_DATA_DIR: z.string().optional(),
  QUALINET_TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform(commaSeparated)
    .refine((list) => list.every(isNetwork), 'must be IP addresses or CIDR networks, separated by commas'),
  QUALINET_MIN_RUNNER_VERSION: z
    .string()
    .refine(isRelease, 'must be the version of a release like 1.2.3')
    .optional(),
  QUALINET_MIN_RUNNER_FROM: z
    .union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'must be a date like 2027-01-31, or with a time and zone',
    )
    .transform((text) => Date.parse(text))
    .optional(),
  QUALINET_LEASE_TTL_SECONDS: seconds(6, 3_600).optional(),
  QUALINET_MAX_RUN_SECONDS: seconds(10, 86_400).optional(),
  DATABASE_URL: serverUrl(/^postgres(ql)?$/, 'postgres://user:password@host:5432/database').optional(),
  REDIS_URL: redisUrl.optional(),
  QUALINET_MANAGED_REDIS_URL: redisUrl.optional(),
  QUALINET_QUEUES: z
    .string()
    .transform(commaSeparated)
    .refine((names) => names.length > 0, 'must name at least one queue')
    .refine(
      (names) => names.every((name) => /^[^\s:]{1,200}$/.test(name)),
      'names must have no spaces and no ":"',
    )
    .refine((names) => new Set(names).size === names.length, 'names a queue twice')
    .optional(),
  QUALINET_QUEUE_PREFIX: z
    .string()
    .regex(/^[^\s:]{1,200}$/, 'must have no spaces and no ":"')
    .optional(),
  B2_BUCKET_NAME: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{1,62}$/, 'must be the name of a bucket')
    .optional(),
  B2_ENDPOINT: z
    .string()
    // Backblaze shows the endpoint without a scheme.
    .transform((text) => (text.includes('://') ? text : `https://${text}`))
    .pipe(httpAddress)
    .optional(),
  B2_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,50}$/, 'must be the name of a region')
    .optional(),
  B2_KEY_ID: z.string().optional(),
  B2_APPLICATION_KEY: z.string().transform(asSecret).optional(),
  B2_PUBLIC_URL: httpAddress.optional(),
});

type Values = z.output<typeof environment>;

/** Every environment variable that a bridge reads. */
export const bridgeVariables: readonly string[] = Object.keys(environment.shape);

/** Reads the configuration from an environment. Throws UsageError with every problem at once, naming the variables. */
export function readBridgeConfig(env: Readonly<Record<string, string | undefined>>): BridgeConfig {
  // An empty variable is how compose files and service units write an unset one.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(given);
  const { tracing, problems: tracingProblems } = readTracing(given);
  const problems = [
    ...(parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []),
    ...serverProblems(given),
    ...previousSecretProblems(given),
    ...tracingProblems,
    ...missingOf(
      given,
      ['B2_BUCKET_NAME', 'B2_ENDPOINT', 'B2_KEY_ID', 'B2_APPLICATION_KEY'],
      'the other B2_ variables',
      'B2_',
    ),
    ...missingOf(
      given,
      ['QUALINET_MIN_RUNNER_VERSION', 'QUALINET_MIN_RUNNER_FROM'],
      'the other of the two',
      'QUALINET_MIN_RUNNER_',
    ),
  ];
  const host = given['HOST'] ?? '127.0.0.1';
  if (!isLoopback(host) && given['PUBLIC_URL'] === undefined) {
    problems.push(`PUBLIC_URL: is needed when HOST is ${host}, because runners sign their requests for it`);
  }
  if (
    given['QUALINET_ALLOW_MANAGED_PAIR'] === 'true' &&
    given['QUALINET_MANAGED_PAIR_SECRET'] === undefined
  ) {
    problems.push('QUALINET_MANAGED_PAIR_SECRET: is needed with QUALINET_ALLOW_MANAGED_PAIR=true');
  }
  const values = parsed.data;
  if (values === undefined || problems.length > 0) {
    throw new UsageError('the configuration of the bridge is wrong', {
      problems,
      hint: 'Run: qualinet-bridge help environment',
    });
  }
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? null,
    workerSecret: values.WORKER_SECRET ?? null,
    previousWorkerSecrets: values.WORKER_SECRET_PREVIOUS === undefined ? [] : [values.WORKER_SECRET_PREVIOUS],
    adminToken: values.QUALINET_ADMIN_TOKEN ?? null,
    managedPairSecret:
      values.QUALINET_ALLOW_MANAGED_PAIR === 'true' ? (values.QUALINET_MANAGED_PAIR_SECRET ?? null) : null,
    servers: serversOf(values),
    bucket: bucketOf(values),
    tracing,
    dataDir: dataFolder(given),
    endOfVersions: endOfVersions(values),
    trustedProxies: values.QUALINET_TRUSTED_PROXIES,
    timing: timingOf(values),
  });
}

// Heartbeat and gap keep their share of the ttl, so that a shorter lease is as safe as a long one.
function timingOf({
  QUALINET_LEASE_TTL_SECONDS: ttlS,
  QUALINET_MAX_RUN_SECONDS: runS,
}: Values): Partial<Timing> {
  const share = (part: number): number => ((ttlS ?? 0) * 1_000 * part) / limits.leaseTtlMs;
  return Object.freeze({
    ...(ttlS === undefined
      ? {}
      : {
          leaseTtlMs: ttlS * 1_000,
          heartbeatMs: share(limits.heartbeatMs),
          releaseGapMs: share(limits.releaseGapMs),
        }),
    ...(runS === undefined ? {} : { runMs: runS * 1_000 }),
  });
}

type Given = Readonly<Record<string, string | undefined>>;

// Half a set of servers is a mistake: falling back to the embedded default would hide it, and lose runs.
function serverProblems(given: Given): string[] {
  const redis = given['QUALINET_MANAGED_REDIS_URL'] ?? given['REDIS_URL'];
  if (given['DATABASE_URL'] === undefined) {
    return ['QUALINET_MANAGED_REDIS_URL', 'REDIS_URL', 'QUALINET_QUEUES', 'QUALINET_QUEUE_PREFIX']
      .filter((name) => given[name] !== undefined)
      .slice(0, 1)
      .map((name) => `DATABASE_URL: is needed with ${name}; unset both for the embedded default`);
  }
  return [
    ...(redis === undefined
      ? ['REDIS_URL: is needed with DATABASE_URL; unset both for the embedded default']
      : []),
    ...['WORKER_SECRET', 'QUALINET_ADMIN_TOKEN']
      .filter((name) => given[name] === undefined)
      .map((name) => `${name}: is needed with DATABASE_URL, because all bridges must have the same`),
  ];
}

function previousSecretProblems(given: Given): string[] {
  const { WORKER_SECRET: current, WORKER_SECRET_PREVIOUS: previous } = given;
  if (previous === undefined) return [];
  if (current === undefined) return ['WORKER_SECRET: is needed with WORKER_SECRET_PREVIOUS'];
  return current === previous
    ? ['WORKER_SECRET_PREVIOUS: must differ from WORKER_SECRET; unset it when nothing is replaced']
    : [];
}

/** Problems of a set of variables that are given together or not at all. */
function missingOf(given: Given, names: readonly string[], others: string, prefix: string): string[] {
  if (!Object.keys(given).some((name) => name.startsWith(prefix))) return [];
  return names.filter((name) => given[name] === undefined).map((name) => `${name}: is needed with ${others}`);
}

function serversOf(values: Values): ServersConfig | null {
  const redis = values.QUALINET_MANAGED_REDIS_URL ?? values.REDIS_URL;
  if (values.DATABASE_URL === undefined || redis === undefined) return null;
  return Object.freeze({
    databaseUrl: values.DATABASE_URL,
    redisUrl: redis,
    queues: values.QUALINET_QUEUES ?? [defaultQueue],
    queuePrefix: values.QUALINET_QUEUE_PREFIX ?? 'bull',
  });
}

function bucketOf(values: Values): BucketConfig | null {
  const { B2_BUCKET_NAME: name, B2_ENDPOINT: endpoint, B2_KEY_ID: keyId, B2_APPLICATION_KEY: key } = values;
  if (name === undefined || endpoint === undefined || keyId === undefined || key === undefined) return null;
  return Object.freeze({
    name,
    endpoint,
    region: values.B2_REGION ?? null,
    keyId,
    applicationKey: key,
    publicUrl: values.B2_PUBLIC_URL ?? `${endpoint}/${name}`,
  });
}

function endOfVersions(values: Values): EndOfVersions | null {
  const { QUALINET_MIN_RUNNER_VERSION: minVersion, QUALINET_MIN_RUNNER_FROM: fromMs } = values;
  return minVersion === undefined || fromMs === undefined ? null : Object.freeze({ minVersion, fromMs });
}

/** The data folder of an environment: QUALINET_DATA_DIR, else `~/.qualinet-bridge`. */
export function dataFolder(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['QUALINET_DATA_DIR'];
  return given === undefined || given === '' ? join(homedir(), '.qualinet-bridge') : resolve(given);
}

/** `http://host:port` of a listening socket, IPv6 in brackets. */
export function addressUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Scheme, host, port and perhaps a path, which a proxy in front takes away: nothing else can be signed for. */
function isPlainAddress(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { username, password, search, hash } = new URL(url);
  return [username, password, search, hash].every((part) => part === '');
}

/** False when a character of the password has cut the address short: part of it would be shown as its host or path. */
function hasEncodedPassword(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { hash, pathname } = new URL(url);
  return hash === '' && !pathname.includes('@');
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/');
  return (
    isIP(address) !== 0 &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (isIP(address) === 4 ? 32 : 128) &&
    more.length === 0
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
