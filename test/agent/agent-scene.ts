import { type AgentDeps, type AgentOptions, runAgent } from '../../src/agent/agent.ts';
import type { AgentEvent } from '../../src/agent/agent-event.ts';
import type { ExecuteFlow } from '../../src/agent/lease/run-lease.ts';
import type { RequestOf } from '../../src/protocol/routes.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { fakeEngine, fixture } from './agent-fixture.ts';

/** A runner with a home of its own and a fake bridge; `run` starts it. */
export async function agent(
  executeFlow: ExecuteFlow = fakeEngine(),
  over: Partial<AgentOptions> = {},
  clock?: ManualClock,
) {
  // On a clock that stands still a wait of 0 ms would be a loop without a pause.
  const base = await fixture(clock === undefined ? {} : { clock, random: () => 1 });
  const home = over.home ?? (await tempFolder());
  const drain = new AbortController();
  const stop = new AbortController();
  const told: AgentEvent[] = [];
  const engine = {
    executeFlow,
    capabilities: {
      protocol: 1,
      qualinetVersion: '1.2.3',
      platform: 'linux',
      arch: 'x64',
      nodeVersion: '20.20.2',
      concurrency: 1,
      browser: { kind: 'headless-shell' },
    },
  };
  const run = (startEngine: AgentDeps['startEngine'] = async () => engine) =>
    runAgent(
      {
        home,
        concurrency: 1,
        once: false,
        version: '1.2.3',
        pid: process.pid,
        spoolBytes: 200 * 1024 ** 2,
        whyInterrupted: (runId) => `the life of ${runId} was killed`,
        ...over,
      },
      {
        ...base,
        startEngine,
        drainSignal: drain.signal,
        stopSignal: stop.signal,
        tell: (event) => told.push(event),
      },
    );
  const slots = () => base.bridge.of('pollLeases').map(({ body }) => (body as RequestOf<'pollLeases'>).slots);
  const ended = () => told.filter(({ type }) => type === 'run_ended').length;
  return { ...base, home, drain, stop, told, run, slots, ended };
}
