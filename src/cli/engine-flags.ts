import * as z from 'zod';

/** Options of every command that reaches a bridge, and of those that execute flows. */
export const wayFlags = { caFile: z.string().optional() };

/** Options of every command that executes flows, as the command line gives them: agent/config reads them together with the environment. */
export const engineFlags = {
  ...wayFlags,
  headed: z.boolean().default(false),
  browser: z.string().optional(),
  network: z.string().optional(),
  allowHost: z.array(z.string()).optional(),
  onlyHosts: z.string().optional(),
  browserProxy: z.string().optional(),
  secrets: z.string().optional(),
  policy: z.string().optional(),
  files: z.string().optional(),
  allowRoot: z.boolean().optional(),
};

/** Options of a runner that stay with its machine, whoever starts it: not the window, which nobody would see, nor what root is allowed. */
const { headed: _window, allowRoot: _root, ...lastingFlags } = engineFlags;

export { lastingFlags as serviceFlags };

/** Options about the life of a runner. */
export const lifeFlags = {
  concurrency: z.string().optional(),
  healthListen: z.string().optional(),
};
