import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';

/** Counts every request by its route, once its answer is written or its peer has gone. */
export function countRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onRequest', async (request, reply) => {
    const startedAtMs = performance.now();
    reply.raw.once('close', () => {
      const { name = 'none' } = (request.routeOptions.config ?? {}) as { name?: string };
      const status = reply.raw.headersSent ? reply.raw.statusCode : null;
      metrics.requestAnswered(name, status, performance.now() - startedAtMs);
    });
  });
}
