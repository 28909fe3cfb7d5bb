import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');

const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), target: z.string() }).optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  restart: z.string(),
  init: z.boolean().default(false),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(['service_healthy', 'service_started']) }))
    .default({}),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  healthcheck: z
    .strictObject({
      test: z.array(z.string()),
      interval: z.string(),
      timeout: z.string(),
      start_period: z.string(),
      retries: z.number().int().positive(),
    })
    .optional(),
  shm_size: z.string().optional(),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  stop_grace_period: z.string(),
  logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
});

const file = z.strictObject({
  name: z.string(),
  'x-every-service': z.unknown(),
  services: z.strictObject({ bridge: service, runner: service, redis: service, postgres: service }),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.strictObject({})),
});

export type ComposeFile = z.output<typeof file>;
export type ComposeService = z.output<typeof service>;

/** The text of compose.yaml. */
export const composeText: string = readFileSync(join(root, 'compose.yaml'), 'utf8');

/** Names of the variables that .env.example lists, with what it gives them. */
export const exampleVariables: Readonly<Record<string, string>> = Object.fromEntries(
  readFileSync(join(root, '.env.example'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, value] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value ?? '']];
    }),
);

/**
 * compose.yaml as `docker compose` would see it with this `.env`: variables filled in, only keys that are known here. Throws
 * for a variable that must be set and is not.
 */
export function composeFile(variables: Readonly<Record<string, string>>): ComposeFile {
  const parsed: unknown = parse(composeText, { merge: true });
  return file.parse(filledIn(parsed, variables));
}

/** Every `${NAME…}` of the file. */
export function referredVariables(): { name: string; rest: string }[] {
  return [...composeText.matchAll(reference)].map(([, name, rest]) => ({
    name: name ?? '',
    rest: rest ?? '',
  }));
}

const reference = /\$\{([A-Z0-9_]+)([^}]*)\}/g;

function filledIn(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') {
    return value.replace(reference, (_, name: string, rest: string) => {
      const given = variables[name] ?? '';
      if (given !== '') return given;
      if (rest.startsWith(':-')) return rest.slice(2);
      throw new Error(`required variable ${name} is missing a value: ${rest.slice(2)}`);
    });
  }
  if (Array.isArray(value)) return value.map((part) => filledIn(part, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, filledIn(part, variables)]));
}
