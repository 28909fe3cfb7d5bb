import { parseArgs } from 'node:util';
import { runChaos } from './chaos-command.ts';
import { endFleets } from './end-fleets.ts';
import { runSoak } from './soak.ts';

const usage = `npm run chaos -- [options]

Breaks runners, bridges, stores and networks in random schedules and looks at every promise after each.

  --minutes N      go on with fresh seeds for N minutes (5)
  --seed S         play the schedule of this seed, once
  --path P         part of a seed, as a violation prints it
  --stores WHERE   embedded, servers (real Redis and PostgreSQL), or both in turn (both)
  --runs N         most runs of a schedule (8)
  --faults N       most disturbances of a schedule (12)
  --window MS      time within which they begin (8000)
  --soak N         instead: N short runs through one runner; memory and descriptors must stay flat
  --help           this text

Ends with 0 when every promise was kept, 1 at the first that was broken, 64 for a wrong command line.
`;

const options = {
  minutes: { type: 'string' },
  seed: { type: 'string' },
  path: { type: 'string' },
  stores: { type: 'string' },
  runs: { type: 'string' },
  faults: { type: 'string' },
  window: { type: 'string' },
  soak: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The program behind `npm run chaos`; resolves with its exit code. */
export async function main(): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const wrong = (why: string): number => {
    process.stderr.write(`error: ${why}\n\n${usage}`);
    return 64;
  };
  let given: ReturnType<typeof parse>;
  try {
    given = parse();
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (given.help === true) {
    say(usage);
    return 0;
  }
  for (const name of ['minutes', 'seed', 'runs', 'faults', 'window', 'soak'] as const) {
    const value = given[name];
    if (value !== undefined && !/^\d{1,10}$/.test(value)) return wrong(`--${name} must be a whole number`);
  }
  if (given.path !== undefined && !/^\d+(:\d+)*$/.test(given.path))
    return wrong('--path must be numbers and ":"');
  const { stores = 'both' } = given;
  if (stores !== 'embedded' && stores !== 'servers' && stores !== 'both') {
    return wrong('--stores must be embedded, servers or both');
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => void endFleets().finally(() => process.exit(name === 'SIGINT' ? 130 : 143)));
  }
  try {
    if (given.soak !== undefined) return await runSoak(Number(given.soak), say);
    return await runChaos(
      {
        minutes: Number(given.minutes ?? 5),
        seed: given.seed === undefined ? null : Number(given.seed),
        path: given.path,
        stores,
        runs: Number(given.runs ?? 8),
        faults: Number(given.faults ?? 12),
        windowMs: Number(given.window ?? 8_000),
      },
      say,
    );
  } finally {
    await endFleets();
  }
}

function parse() {
  return parseArgs({ args: process.argv.slice(2), options, strict: true, allowPositionals: false }).values;
}
