import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { inProcessHints } from '../embedded/in-process-hints.ts';
import type { Hint, Hints } from '../hints.ts';
import type { RedisConnections } from './redis.ts';

/** The channel on which bridges wake each other. */
export const hintsChannel = 'qualinet:hints';

const hintSchema = z.discriminatedUnion('about', [
  z.object({
    about: z.literal('run'),
    runId: z.string(),
    isOver: z.literal(true).optional(),
    position: z.object({ fence: z.number(), seq: z.number() }).optional(),
  }),
  z.object({ about: z.literal('ready'), workspace: z.string(), labels: z.array(z.string()) }),
  z.object({ about: z.literal('runner'), runnerId: z.string(), leaseId: z.string().nullable() }),
]);
const messageSchema = z.object({ from: z.string(), hint: hintSchema });

/** A hint as it travels. `from` is the bridge that has heard it already, empty when it is for all. */
export function hintMessage(from: string, hint: Hint): string {
  return JSON.stringify({ from, hint });
}

/**
 * Hints among bridges: within this one at once, to the others through Redis. A run that somebody here takes is not told
 * elsewhere: one waiter is woken for it. One that is lost while Redis is away costs time only.
 */
export async function redisHints({ commands, subscriber }: RedisConnections, log: Log): Promise<Hints> {
  const self = randomUUID();
  const here = inProcessHints();
  subscriber.on('message', (channel: string, text: string) => {
    if (channel !== hintsChannel) return;
    try {
      const { from, hint } = messageSchema.parse(JSON.parse(text));
      if (from !== self) here.publish(hint);
    } catch (error) {
      log.warn('a hint could not be read', { error: errorText(error) });
    }
  });
  await subscriber.subscribe(hintsChannel);
  return {
    publish(hint) {
      const isTaken = here.publish(hint);
      if (isTaken) return true;
      commands.publish(hintsChannel, hintMessage(self, hint)).catch(() => {});
      return false;
    },
    subscribe: (listener) => here.subscribe(listener),
  };
}
