import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { connectRedis } from '../../../src/bridge/distributed/redis.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { startRedisWith } from '../../support/redis-server.ts';

it('a Redis that refuses the password is told without it, however the error is printed', async () => {
  const redis = await startRedisWith(['--requirepass', 'right'], 'right');
  onTestFinished(() => redis.remove());
  const wrong = new Secret(redis.url.replace(':right@', ':not-this-one@'));
  const error = await connectRedis(wrong, { log: silentLog }).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toHaveProperty('message', expect.stringContaining('WRONGPASS'));
  expect(inspect(error, { depth: 9 })).not.toContain('not-this-one');
});
