import { type RedisOptions as AllOptions, Redis } from 'ioredis';
import type { Log } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import { placeOf, type ReachDeps, reachServer } from './reach-server.ts';

/** How often the listening connection is asked whether it lives: it sends nothing by itself, so that it would never notice. */
const pingMs = 10_000;

// The library's constructor takes no explicit `undefined` for this one.
type RedisOptions = Omit<AllOptions, 'replyMapping'>;

/** For everything that a request waits for: it fails soon rather than late, and the runner comes again. */
const commandOptions: RedisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableAutoPipelining: true,
  maxRetriesPerRequest: 1,
  connectTimeout: 5_000,
  commandTimeout: 3_000,
  // A connection that stays open and answers nothing is cut and made anew.
  socketTimeout: 10_000,
  keepAlive: 10_000,
};

/** For listening: what is subscribed is subscribed again after every break. */
const subscriberOptions: RedisOptions = {
  lazyConnect: true,
  maxRetriesPerRequest: null,
  connectTimeout: 5_000,
  socketTimeout: 10_000,
  keepAlive: 10_000,
};

/** A bridge's connections to Redis, BullMQ's apart. */
export interface RedisConnections {
  readonly commands: Redis;
  readonly subscriber: Redis;
  /** Where it is, for people. */
  readonly place: string;
  close(): Promise<void>;
}

/** Connects. Throws what {@link reachServer} does when the server does not come up or refuses. */
export async function connectRedis(redisUrl: Secret, deps: ReachDeps): Promise<RedisConnections> {
  const url = redisUrl.reveal();
  const place = placeOf(url);
  const connect = (options: RedisOptions, name: string) =>
    reachServer(`Redis at ${place}`, 'REDIS_URL or QUALINET_MANAGED_REDIS_URL', deps, () =>
      connected(url, options, name, deps.log),
    );
  const commands = await connect(commandOptions, 'commands');
  let subscriber: Redis;
  try {
    subscriber = await connect(subscriberOptions, 'hints');
  } catch (error) {
    commands.disconnect();
    throw error;
  }
  const pinging = setInterval(() => void subscriber.ping().catch(() => {}), pingMs);
  return {
    commands,
    subscriber,
    place,
    async close() {
      clearInterval(pinging);
      subscriber.disconnect();
      commands.disconnect();
    },
  };
}

async function connected(url: string, options: RedisOptions, name: string, log: Log): Promise<Redis> {
  const client = new Redis(url, { ...options, connectionName: `qualinet-bridge-${name}` });
  let lastError: unknown = null;
  let hasConnected = false;
  let refusal: unknown = null;
  client.on('error', (error) => {
    // While it is down, every attempt to connect fails the same way: told once. The first connection is told of by whoever waits for it.
    if (hasConnected && lastError === null)
      log.warn('the connection to Redis broke', { connection: name, error });
    lastError = error;
    if (!hasConnected) refusal = error;
  });
  client.on('ready', () => {
    if (hasConnected && lastError !== null) log.info('the connection to Redis is back', { connection: name });
    lastError = null;
  });
  try {
    await client.connect();
    hasConnected = true;
    // A database number that is too high fails SELECT alone: what follows would go to database 0.
    if (refusal !== null) throw refusal;
    return client;
  } catch (error) {
    client.disconnect();
    // connect() says only that the connection was closed; why came as an event.
    throw withoutCommand(refusal ?? error);
  }
}

// The library keeps the command on its errors: of one that logs in, the password.
function withoutCommand(error: unknown): unknown {
  if (error instanceof Error) Reflect.deleteProperty(error, 'command');
  return error;
}
