import type { Dependency } from '../stores.ts';
import type { RedisConnections } from './redis.ts';

/** Redis as readiness sees it: commands are answered, and the listening connection stands. */
export function redisDependency({ commands, subscriber }: RedisConnections): Dependency {
  return {
    name: 'redis',
    async check() {
      if (commands.status !== 'ready') throw new Error(`the connection is ${commands.status}`);
      await commands.ping();
      if (subscriber.status !== 'ready') throw new Error(`the connection for hints is ${subscriber.status}`);
    },
  };
}
