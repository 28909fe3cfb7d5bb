import { type BareWay, createBareWay } from '../../agent/client/bare-way.ts';
import { type BridgeClient, createBridgeClient } from '../../agent/client/bridge-client.ts';
import { isNetworkFailure, NoAnswerError, networkError } from '../../agent/client/bridge-errors.ts';
import { createTransport, readBody, type Transport } from '../../agent/client/transport.ts';
import type { AgentConfig } from '../../agent/config/agent-config.ts';
import { type Credentials, readCredentials } from '../../agent/credentials/credentials.ts';
import { createIdentity } from '../../agent/credentials/identity.ts';
import type { LocalPolicy } from '../../agent/policy/local-policy.ts';
import type { BrowserChoice } from '../../browser/install/find-browser.ts';
import type { Rendering } from '../../browser/probe-rendering.ts';
import type { WarmBrowser } from '../../browser/warm-browser.ts';
import type { CommandContext } from '../../command-line/command.ts';
import type { Clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { version } from '../../lib/version.ts';
import { type ResponseOf, routes } from '../../protocol/routes.ts';
import { chooseBrowser } from '../choose-browser.ts';
import { type FlowChooser, networkOptions } from '../network-options.ts';
import { readMachinePolicy } from '../open-books.ts';
import { openBrowser } from '../open-browser.ts';
import type { Machine } from './machine.ts';

/** The bridge that is looked at, and who named it. */
interface BridgeAddress {
  url: string;
  from: 'runner.json' | '--api' | 'API_BASE_URL';
}

/** An answer that the bridge signed, and its clock at that moment. */
interface SelfAnswer {
  self: ResponseOf<'runnerSelf'>;
  /** How far the bridge's clock is ahead of this machine's, in ms; signed, to the second. */
  aheadMs: number | null;
}

/** An unsigned answer: anybody may have written it. */
interface HealthAnswer {
  status: number;
  location: string | null;
  text: string;
  tookMs: number;
  /** By its Date header, as {@link SelfAnswer.aheadMs}. */
  aheadMs: number | null;
}

/** A browser that was started as for a run. */
export interface Launched {
  choice: BrowserChoice;
  warm: WarmBrowser;
  launchMs: number;
  /** What Chromium or the system said about the sandbox, null when nothing. */
  sandboxReason: string | null;
}

/** What checks look at and share. What costs something is done once, when the first check asks for it, as a runner would do it. */
export interface Scene {
  readonly config: AgentConfig;
  readonly env: CommandContext['env'];
  readonly machine: Machine;
  readonly clock: Clock;
  readonly transport: Transport;
  /** What the transport goes by, to look at it step by step. */
  readonly way: BareWay;
  readonly cwd: string;
  credentials(): Promise<Credentials | null>;
  /** What this machine's owner lets flows do; null for no such rules. */
  policy(): Promise<LocalPolicy | null>;
  /** Who would choose the flows here. */
  chooser(): Promise<FlowChooser>;
  /** Null when nothing names one. */
  address(): Promise<BridgeAddress | null>;
  /** The same for checks that are skipped without one. */
  target(): Promise<URL>;
  /** The bridge as a paired runner sees it; null when this machine is not paired. */
  client(): Promise<BridgeClient | null>;
  /** What the bridge says of this runner; null when this machine is not paired. */
  askSelf(): Promise<SelfAnswer | null>;
  /** What is answered to `GET /healthz`, whoever answers. Throws NoAnswerError. */
  askHealth(): Promise<HealthAnswer>;
  findBrowser(): Promise<BrowserChoice>;
  launch(): Promise<Launched>;
  render(): Promise<Rendering & { renderMs: number }>;
  /** How long silent connections are held by the check of the idle cut, ascending. */
  readonly idleHoldsMs: readonly number[];
  /** Ends browser and connections. */
  close(): Promise<void>;
}

/** What a scene is made of. */
export interface SceneOptions {
  config: AgentConfig;
  headed: boolean;
  /** Address given by `--api`, null for none. */
  apiFlag: string | null;
  context: CommandContext;
  machine: Machine;
  clock: Clock;
  idleHoldsMs?: readonly number[];
}

/** The longest is below what a bridge itself waits on a silent connection. */
const holdsMs = [15_000, 30_000, 45_000, 65_000];

/** How long a bridge may take to say that it lives. */
const healthMs = 8_000;

/** Sets the scene; nothing is asked or started yet. */
export function openScene(options: SceneOptions): Scene {
  const { config, headed, apiFlag, context, machine, clock, idleHoldsMs = holdsMs } = options;
  // A browser's warnings are findings here, not talk.
  const quiet: CommandContext = { ...context, stderr: { write() {}, isTTY: false } };
  const transport = createTransport(config.proxy);
  let seen: Seen | null = null;
  const watched: Transport = {
    ...transport,
    async send(request) {
      const sentMs = clock.nowMs();
      const response = await transport.send(request);
      seen = { headers: response.headers, atMs: (sentMs + clock.nowMs()) / 2 };
      return response;
    },
  };
  const credentials = once(() => readCredentials(config.home));
  const policy = once(() => readMachinePolicy(config));
  const chooser = async (): Promise<FlowChooser> =>
    (await credentials().catch(() => null))?.mode ?? 'self-hosted';

  const address = once(async (): Promise<BridgeAddress | null> => {
    if (apiFlag !== null && config.apiBaseUrl !== null) return { url: config.apiBaseUrl, from: '--api' };
    const own = await credentials().catch(() => null);
    if (own !== null) return { url: own.apiBaseUrl, from: 'runner.json' };
    return config.apiBaseUrl === null ? null : { url: config.apiBaseUrl, from: 'API_BASE_URL' };
  });

  const client = once(async () => {
    const own = await credentials();
    if (own === null) return null;
    return createBridgeClient({
      apiBaseUrl: own.apiBaseUrl,
      keys: createIdentity(own, async () => {}),
      transport: watched,
      clock,
      log: silentLog,
      version,
    });
  });

  const launch = once(async (): Promise<Launched> => {
    const startedMs = clock.monotonicMs();
    let sandboxReason: string | null = null;
    const log = {
      ...silentLog,
      warn(_message: string, fields: Readonly<Record<string, unknown>> = {}) {
        if (typeof fields['reason'] === 'string') sandboxReason = fields['reason'];
      },
    };
    const flowChooser = await chooser();
    const { choice, warm } = await openBrowser({
      config,
      chooser: flowChooser,
      // A policy that is wrong is told by its own check.
      network: networkOptions(config, flowChooser, await policy().catch(() => null)),
      headed,
      log,
      context: quiet,
    });
    return { choice, warm, launchMs: clock.monotonicMs() - startedMs, sandboxReason };
  });

  return {
    config,
    env: context.env,
    machine,
    clock,
    transport,
    way: createBareWay(config.proxy),
    cwd: context.cwd,
    credentials,
    policy,
    chooser,
    address,
    async target() {
      const named = await address();
      if (named === null) throw new Error('there is no address to look at');
      return new URL(named.url);
    },
    client,
    askSelf: once(async () => {
      const bridge = await client();
      if (bridge === null) return null;
      const self = await bridge.call('runnerSelf', { timeoutMs: 8_000 });
      return { self, aheadMs: signedAheadMs(seen) };
    }),
    askHealth: once(async () => {
      const { url } = (await address()) ?? { url: '' };
      return askHealth(url, transport, clock);
    }),
    findBrowser: once(() =>
      chooseBrowser(
        { browserPath: config.browserPath, headed, home: config.home },
        { env: quiet.env, log: silentLog },
      ),
    ),
    launch,
    render: once(async () => {
      const { warm } = await launch();
      const startedMs = clock.monotonicMs();
      const rendering = await warm.probe();
      return { ...rendering, renderMs: clock.monotonicMs() - startedMs };
    }),
    idleHoldsMs,
    async close() {
      // One that is being started while doctor is stopped must not outlive it.
      if (launch.isAsked())
        await launch().then(
          ({ warm }) => warm.close(),
          () => {},
        );
      await transport.close();
    },
  };
}

async function askHealth(url: string, transport: Transport, clock: Clock): Promise<HealthAnswer> {
  const over = AbortSignal.timeout(healthMs);
  const startedMs = clock.monotonicMs();
  try {
    const response = await transport.send({
      method: 'GET',
      url: `${url}${routes.health.path}`,
      headers: { 'user-agent': `qualinet/${version}`, accept: '*/*', 'accept-encoding': 'identity' },
      body: null,
      signal: over,
    });
    const atMs = clock.nowMs();
    const text = Buffer.from(await readBody(response, 256 * 1024)).toString('utf8');
    const dateMs = Date.parse(response.headers.get('date') ?? '');
    return {
      status: response.status,
      location: response.headers.get('location'),
      text,
      tookMs: clock.monotonicMs() - startedMs,
      aheadMs: Number.isNaN(dateMs) ? null : dateMs + 500 - atMs,
    };
  } catch (error) {
    if (over.aborted) throw new NoAnswerError(`${url} did not answer within ${healthMs / 1_000} s`);
    throw isNetworkFailure(error) ? networkError(url, error, transport.proxyFor(url)) : error;
  }
}

interface Seen {
  headers: { get(name: string): string | null };
  atMs: number;
}

/** `created` is part of what the bridge signs; the answer was accepted before this is asked. */
function signedAheadMs(seen: Seen | null): number | null {
  const created = /;created=(\d{10,11});/.exec(seen?.headers.get('signature-input') ?? '')?.[1];
  if (seen === null || created === undefined) return null;
  // It counts whole seconds.
  return Number(created) * 1_000 + 500 - seen.atMs;
}

/** Calls `make` when it is first asked; everybody gets the same. */
function once<T>(make: () => Promise<T>): (() => Promise<T>) & { isAsked(): boolean } {
  let made: Promise<T> | null = null;
  const ask = (): Promise<T> => {
    made ??= make();
    return made;
  };
  return Object.assign(ask, { isAsked: () => made !== null });
}
