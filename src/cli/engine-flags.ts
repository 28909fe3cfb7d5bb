import { z } from 'zod';

/** Options of every command that executes flows, as the command line gives them: agent/config reads them together with the environment. */
export const engineFlags = {
  headed: z.boolean().default(false),
  browser: z.string().optional(),
  network: z.string().optional(),
  allowHost: z.array(z.string()).optional(),
  onlyHosts: z.string().optional(),
};
