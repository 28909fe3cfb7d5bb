import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import type { ChaosRunner, PreloadOrders } from './chaos-runner.ts';
import type { Fault } from './fault.ts';
import type { Fleet } from './fleet.ts';
import { browserProcess, processesOf } from './processes-of.ts';
import type { Disturbance, NetworkFault, Schedule } from './schedule.ts';

/** Plays a schedule on a fleet to its last disturbance, then heals everything. Gives how often each kind struck. */
export async function playSchedule(fleet: Fleet, schedule: Schedule): Promise<Map<string, number>> {
  const struck = new Map<string, number>();
  const count = (kind: string): void => void struck.set(kind, (struck.get(kind) ?? 0) + 1);
  const rules: { fault: Fault; route: string | null; left: number }[] = [];
  const held = fleet.runners.map((): PreloadOrders => ({}));
  /** A runner is disturbed by one thing at a time: what comes meanwhile waits. */
  const queues = fleet.runners.map(() => Promise.resolve());
  let serverQueue: Promise<void> = Promise.resolve();
  fleet.proxy.use(({ route }) => {
    const rule = rules.find((one) => one.left > 0 && (one.route === null || one.route === route));
    if (rule === undefined) return null;
    rule.left -= 1;
    return rule.fault;
  });

  await Promise.all(fleet.runners.map((runner) => runner.start()));
  await Promise.all([
    ...schedule.runs.map(async ({ atMs, flow, onRedelivery }) => {
      await delay(atMs);
      await until('the run is submitted', () => submitted(flow, onRedelivery), 60_000);
    }),
    ...schedule.disturbances.map(async ({ atMs, ...disturbance }) => {
      await delay(atMs);
      await disturb(disturbance);
    }),
  ]);
  for (const [kind, times] of fleet.proxy.struck) struck.set(kind, times);
  await heal();
  return struck;

  /** An operator tries again while the bridge is away, as a person would. */
  async function submitted(...run: Parameters<Fleet['submit']>): Promise<boolean> {
    const isTaken = await fleet.submit(...run).then(
      () => true,
      () => false,
    );
    if (!isTaken) await delay(300);
    return isTaken;
  }

  async function disturb(one: Disturbance): Promise<void> {
    switch (one.what) {
      case 'network':
        rules.push({ fault: faultOf(one.kind), route: one.route, left: one.times });
        return;
      case 'refuse':
        await fleet.proxy.refuse();
        await delay(one.forMs);
        return fleet.proxy.accept();
      case 'idleCut':
        fleet.proxy.cutIdleAfter(one.afterMs);
        await delay(one.forMs);
        return fleet.proxy.cutIdleAfter(null);
      case 'killBridge':
        if (!fleet.bridge.isRunning()) return;
        count(one.what);
        await fleet.bridge.kill();
        await delay(one.forMs);
        return fleet.bridge.start();
      case 'killRedis':
      case 'killPostgres': {
        const server = fleet.stores.servers[one.what === 'killRedis' ? 'redis' : 'postgres'];
        if (server === undefined) return;
        // One that is being started again is not killed before it has come up: it would be taken for one that cannot start.
        serverQueue = serverQueue.then(async () => {
          count(one.what);
          await server.kill();
          await delay(one.forMs);
          await server.start();
        });
        return serverQueue;
      }
      default: {
        const runner = fleet.runners[one.runner];
        if (runner === undefined) return;
        queues[one.runner] = (queues[one.runner] ?? Promise.resolve()).then(() => disturbRunner(runner, one));
        return queues[one.runner];
      }
    }
  }

  async function disturbRunner(
    runner: ChaosRunner,
    one: Extract<Disturbance, { runner: number }>,
  ): Promise<void> {
    const orders = (change: PreloadOrders): PreloadOrders => {
      const next = { ...held[one.runner], ...change };
      held[one.runner] = next;
      return next;
    };
    if (!runner.isRunning()) await runner.start(orders({}));
    const { place } = runner;
    count(one.what);
    switch (one.what) {
      case 'killRunner':
        await runner.kill();
        await delay(one.forMs);
        return runner.start(orders({}));
      case 'stopRunner':
        await runner.stop();
        return runner.start(orders({}));
      case 'freezeRunner': {
        const frozen = (await processesOf(place)).filter(
          ({ pid }) => pid === runner.pid() || one.withBrowser,
        );
        for (const { pid } of frozen) signal(pid, 'SIGSTOP');
        await delay(one.forMs);
        for (const { pid } of frozen) signal(pid, 'SIGCONT');
        return;
      }
      case 'killBrowser':
      case 'killRenderer': {
        const pid = await browserProcess(place, one.what === 'killBrowser' ? 'browser' : 'renderer');
        if (pid !== null) signal(pid, 'SIGKILL');
        return;
      }
      case 'fullDisk':
        await orderIfAlive(runner, orders({ full: one.kinds }));
        await delay(one.forMs);
        return orderIfAlive(runner, orders({ full: [] }));
      case 'moveClock':
        return orderIfAlive(runner, orders({ clockOffsetMs: one.byMs }));
    }
  }

  async function heal(): Promise<void> {
    for (const server of Object.values(fleet.stores.servers)) server.thaw();
    await fleet.proxy.heal();
    await fleet.bridge.start();
    for (const [index, runner] of fleet.runners.entries()) {
      if (!runner.isRunning()) await runner.start(held[index] ?? {});
    }
  }
}

/** A process that ended by itself meanwhile gets its orders with its next start. */
async function orderIfAlive(runner: ChaosRunner, orders: PreloadOrders): Promise<void> {
  await runner.order(orders).catch((error: unknown) => {
    if (runner.isRunning()) throw error;
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function faultOf(kind: NetworkFault): Fault {
  switch (kind) {
    case 'duplicate':
      return { kind, laterMs: 0 };
    case 'duplicateLater':
      return { kind: 'duplicate', laterMs: 2_000 };
    case 'blackHole':
    case 'slowAnswer':
      return { kind, forMs: 5_000 };
    case 'delay':
      return { kind, ms: 1_200 };
    default:
      return { kind };
  }
}
