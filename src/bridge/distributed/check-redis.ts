import type { Redis } from 'ioredis';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';

/** Oldest version that has what bridges and BullMQ use. Source: BullMQ's own recommendation. */
const oldest = [6, 2] as const;

/**
 * Looks at how Redis is set up. Throws EnvironmentError for a version that is too old; warns, with what to change, about
 * settings under which it loses jobs. What it may not read is told, too: some hosted servers refuse to say.
 */
export async function checkRedis(redis: Redis, log: Log): Promise<void> {
  let info: Map<string, string>;
  try {
    info = parseInfo(await redis.info());
  } catch (error) {
    log.warn(
      'Redis does not tell its settings; make sure that maxmemory-policy is noeviction and that it keeps its data',
      {
        error: errorText(error),
      },
    );
    return;
  }
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new EnvironmentError(`Redis ${version} is too old`, {
      hint: `Bridges need Redis ${oldest.join('.')} or newer, or a server that speaks like it.`,
    });
  }
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    log.warn(
      `Redis drops data when its memory is full (maxmemory-policy ${policy}): jobs and their locks among it`,
      {
        advice: 'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
      },
    );
  }
  if (info.get('aof_enabled') === '0') {
    log.warn('Redis keeps no append-only file: after a crash, jobs since its last snapshot are gone', {
      advice: 'CONFIG SET appendonly yes, and the same in redis.conf',
    });
  }
}

function parseInfo(text: string): Map<string, string> {
  return new Map(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
