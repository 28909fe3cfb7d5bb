import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';

/** The bridge's configuration, read once. Secrets that are null are made and kept in the data folder. */
export interface BridgeConfig {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What runners sign for and send to; null: `http://<host>:<port>`, for a loopback host only. No slash at the end. */
  readonly publicUrl: string | null;
  readonly workerSecret: Secret | null;
  readonly adminToken: Secret | null;
  /** Null: managed pairing is off. */
  readonly managedPairSecret: Secret | null;
  readonly dataDir: string;
  readonly trustedProxies: readonly string[];
}

/** Where the bridge listens unless PORT says otherwise. */
export const defaultPort = 4870;

/** Variables of the distributed mode, which this version does not have. */
const notYet = [
  'REDIS_URL',
  'QUALINET_MANAGED_REDIS_URL',
  'DATABASE_URL',
  'B2_BUCKET_NAME',
  'B2_ENDPOINT',
  'B2_KEY_ID',
  'B2_APPLICATION_KEY',
  'B2_PUBLIC_URL',
] as const;

const secret = (minimum: number) => z.string().min(minimum, `must have at least ${minimum} characters`);
const asSecret = (value: string) => new Secret(value);

const environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .pipe(z.number().max(65_535, 'must be at most 65535'))
    .default(defaultPort),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .refine(isPlainAddress, 'must have no user name, no password, no query and no fragment')
    .transform((url) => new URL(url).href.replace(/\/+$/, ''))
    .optional(),
  WORKER_SECRET: secret(16).transform(asSecret).optional(),
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
    .transform((list) =>
      list
        .split(',')
        .map((address) => address.trim())
        .filter((address) => address !== ''),
    )
    .refine((list) => list.every(isNetwork), 'must be IP addresses or CIDR networks, separated by commas'),
});

/** Reads the configuration from an environment. Throws UsageError with every problem at once, naming the variables. */
export function readBridgeConfig(env: Readonly<Record<string, string | undefined>>): BridgeConfig {
  // An empty variable is how compose files and service units write an unset one.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(given);
  const problems = [
    ...(parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []),
    ...notYet
      .filter((name) => given[name] !== undefined)
      .map((name) => `${name}: this version has only the embedded default and would not use it; unset it`),
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
    throw new UsageError('the configuration of the bridge is wrong', { problems });
  }
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? null,
    workerSecret: values.WORKER_SECRET ?? null,
    adminToken: values.QUALINET_ADMIN_TOKEN ?? null,
    managedPairSecret:
      values.QUALINET_ALLOW_MANAGED_PAIR === 'true' ? (values.QUALINET_MANAGED_PAIR_SECRET ?? null) : null,
    dataDir: dataFolder(given),
    trustedProxies: values.QUALINET_TRUSTED_PROXIES,
  });
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
