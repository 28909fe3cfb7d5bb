import { type BridgeProcess, startFirstBridgeProcess, startSharedBridge } from '../../support/system.ts';

/** A bridge that may be killed and comes back on the same port and the same data. */
export interface ChaosBridge {
  /** Everything it said, over all its lives. */
  readonly lines: readonly string[];
  now(): BridgeProcess;
  isRunning(): boolean;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one: on its embedded default in `dataDir`, or beside a backend's servers. */
export async function startChaosBridge(
  place: { dataDir: string } | { databaseUrl: string; redisUrl: string },
  env: Readonly<Record<string, string>>,
): Promise<ChaosBridge> {
  const earlier: string[] = [];
  let bridge = await open();
  let isRunning = true;

  function open(): Promise<BridgeProcess> {
    return 'dataDir' in place ? startFirstBridgeProcess(place.dataDir, env) : startSharedBridge(place, env);
  }

  return {
    get lines() {
      return [...earlier, ...bridge.lines];
    },
    now: () => bridge,
    isRunning: () => isRunning,
    async kill() {
      if (!isRunning) return;
      isRunning = false;
      bridge.program.process.kill('SIGKILL');
      await bridge.program.ended;
    },
    async start() {
      if (isRunning) return;
      earlier.push(...bridge.lines);
      bridge = await open();
      isRunning = true;
    },
    async stop() {
      isRunning = false;
      await bridge.program.stop();
    },
  };
}
