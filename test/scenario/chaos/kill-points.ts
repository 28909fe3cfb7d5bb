import type { RouteName } from '../../../src/protocol/routes.ts';
import type { ChaosFlowName } from './chaos-flows.ts';
import type { ChaosRunner, PreloadOrders } from './chaos-runner.ts';
import type { ChaosRun, Fleet } from './fleet.ts';
import { emptySpool } from './leftovers.ts';

/** A life that ended at one point, and what the row of its run said at the end. */
export interface KilledLife {
  readonly run: ChaosRun;
  readonly point: string;
  /** Why the attempt before the last one ended; null when there was one attempt only. */
  readonly lastEndReason: string | null;
}

/** Which run is executed when the runner dies. */
export interface KilledFlow {
  readonly flow: ChaosFlowName;
  readonly onRedelivery: ChaosRun['onRedelivery'];
}

/** Where in its life a runner dies at the network. */
export type NetworkMoment = 'arrived' | 'answered';

/**
 * Kills the runner around everything it does to its spool during a run: the first time it does so, the second, until a
 * run's life has no further one. After each a fresh process takes over the home and the run comes to its end.
 */
export async function killAtJournalPoints(
  fleet: Fleet,
  when: NonNullable<PreloadOrders['killAt']>['when'],
  killed: KilledFlow,
): Promise<KilledLife[]> {
  const runner = onlyRunner(fleet);
  const lives: KilledLife[] = [];
  await takeBreath(fleet);
  // An undisturbed life tells what there is.
  await fleet.finalRow(await fleet.submit(killed.flow, killed.onRedelivery));
  await emptySpool(runner);
  const done = new Set<string>();
  for (;;) {
    const name = (await runner.spoolPoints()).find((point) => !done.has(point));
    if (name === undefined) return lives;
    done.add(name);
    await killAtEach(fleet, killed, lives, async (nth) => {
      await runner.order({ killAt: { name, nth, when } });
      return `${when} ${name} #${nth}`;
    });
  }
}

/** Routes of a run's life in the order in which they come first. */
const routesOfALife: readonly RouteName[] = [
  'pollLeases',
  'heartbeat',
  'postEvents',
  'requestUpload',
  'putBlob',
  'postResult',
];

/**
 * The same at the network: the runner dies when a request of a run's life arrives (the bridge does not hear it), or when
 * the bridge has answered it (the runner does not hear it).
 */
export async function killAtNetworkPoints(
  fleet: Fleet,
  when: NetworkMoment,
  killed: KilledFlow,
): Promise<KilledLife[]> {
  const runner = onlyRunner(fleet);
  const lives: KilledLife[] = [];
  for (const wanted of routesOfALife) {
    await killAtEach(fleet, killed, lives, async (nth) => {
      let seen = 0;
      fleet.proxy.use(({ route }) => {
        if (route === wanted) seen += 1;
        if (route !== wanted || seen !== nth) return null;
        return { kind: 'call', when, act: () => runner.kill() };
      });
      // The poll that waits already came before this rule; only a new process sends it again at once.
      if (wanted === 'pollLeases') await runner.stop();
      return `${when} ${wanted} #${nth}`;
    });
  }
  return lives;
}

/** One life for each point `arm(1)`, `arm(2)`, ... until a life ends without coming to its point. */
async function killAtEach(
  fleet: Fleet,
  { flow, onRedelivery }: KilledFlow,
  lives: KilledLife[],
  arm: (nth: number) => Promise<string>,
): Promise<void> {
  const runner = onlyRunner(fleet);
  for (let nth = 1; ; nth += 1) {
    await takeBreath(fleet);
    const point = await arm(nth);
    const run = await fleet.submit(flow, onRedelivery);
    await runner.start();
    const killed = runner.ended().then(() => true);
    const over = fleet
      .finalRow(run)
      .then(() => emptySpool(runner))
      .then(() => false);
    over.catch(() => {});
    const isKilled = await Promise.race([killed, over]);
    fleet.proxy.use(() => null);
    // The last points lie where the run is over and the spool is empty: only one that still obeys was not killed.
    if (!isKilled && (await obeys(runner))) return;
    await runner.start();
    const { lastEndReason } = await fleet.finalRow(run);
    lives.push({ run, point, lastEndReason });
  }
}

async function obeys(runner: ChaosRunner): Promise<boolean> {
  return runner.order({}).then(
    () => true,
    () => false,
  );
}

/** The runner lives and owes nothing: whatever comes next belongs to the next run. */
async function takeBreath(fleet: Fleet): Promise<void> {
  const runner = onlyRunner(fleet);
  await runner.start();
  await emptySpool(runner);
}

function onlyRunner({ runners: [runner] }: Fleet): ChaosRunner {
  if (runner === undefined) throw new Error('there is no runner');
  return runner;
}
