import { ProblemError } from '../problem-error.ts';
import type { Readiness } from '../readiness.ts';
import type { Content, Handlers } from './handler.ts';
import { openapi } from './openapi.ts';

/** Routes about the bridge itself. */
export function systemRoutes({
  readiness,
  metrics,
  publicUrl,
}: {
  readiness: Readiness;
  metrics: { text(): Promise<string> };
  publicUrl: () => string;
}): Pick<Handlers, 'health' | 'ready' | 'metrics' | 'openapi'> {
  return {
    health: async () => text('text/plain; charset=utf-8', 'ok\n'),
    async ready() {
      const { isClosing, dependencies } = await readiness.look();
      if (isClosing) throw new ProblemError('unavailable', { detail: 'the bridge is closing' }, 5_000);
      const errors = dependencies.flatMap(({ name, problem }) =>
        problem === null ? [] : [{ path: name, message: problem }],
      );
      if (errors.length > 0) {
        const detail = errors.map(({ path, message }) => `${path} does not work: ${message}`).join('; ');
        throw new ProblemError('unavailable', { detail, errors }, 5_000);
      }
      return text(
        'text/plain; charset=utf-8',
        ['ready', ...dependencies.map(({ name }) => `${name}: ok`)].map((line) => `${line}\n`).join(''),
      );
    },
    metrics: async () => text('text/plain; version=0.0.4; charset=utf-8', await metrics.text()),
    openapi: async () => text('application/json', `${JSON.stringify(openapi(publicUrl()), null, 2)}\n`),
  };
}

function text(contentType: string, content: string): Content {
  return { contentType, bytes: Buffer.from(content) };
}
