import type { FastifyInstance } from 'fastify';

/** Longest a stopping bridge waits for answers under way. */
const patienceMs = 5_000;

/** Counts the answers under way, so that a bridge that stops can let them be written. */
export interface InFlight {
  /** Resolves when none is left, or after 5 s. */
  finished(): Promise<void>;
}

export function countInFlight(app: FastifyInstance): InFlight {
  let count = 0;
  let tell = (): void => {};
  app.addHook('onRequest', async (_request, reply) => {
    count += 1;
    reply.raw.on('close', () => {
      count -= 1;
      if (count === 0) tell();
    });
  });
  return {
    finished() {
      if (count === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, patienceMs);
        tell = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}
