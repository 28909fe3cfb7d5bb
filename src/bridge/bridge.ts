import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../lib/clock.ts';
import { EnvironmentError, errorText, systemErrorCode } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import { bridgeKey } from './bridge-keys.ts';
import { bridgeLog } from './bridge-log.ts';
import { addressUrl, type BridgeConfig } from './config.ts';
import { createDispatcher } from './dispatch.ts';
import { openServers } from './distributed/open-servers.ts';
import { openEmbedded } from './embedded/open-embedded.ts';
import { createTeller } from './events/teller.ts';
import { createApp } from './http/app.ts';
import { blobRoutes } from './http/blob-routes.ts';
import { countHandlers } from './http/count-handlers.ts';
import { derivedKeys } from './http/derived-keys.ts';
import { eventStreams } from './http/event-stream.ts';
import { countInFlight } from './http/in-flight.ts';
import { knownCallers } from './http/known-callers.ts';
import { leaseRoutes } from './http/lease-routes.ts';
import { operatorRunnerRoutes, operatorRunRoutes } from './http/operator-routes.ts';
import { pairingRoutes } from './http/pairing-routes.ts';
import { runnerRoutes } from './http/runner-routes.ts';
import { systemRoutes } from './http/system-routes.ts';
import { createIntake } from './intake/intake.ts';
import type { IntakeTimes } from './intake/intake-times.ts';
import { everyObserver } from './leases/run-end.ts';
import { runLine } from './leases/run-line.ts';
import { countRequests } from './metrics/count-requests.ts';
import { fleetGauges } from './metrics/fleet-gauges.ts';
import { createMetrics } from './metrics/metrics.ts';
import { secretGauges } from './metrics/secret-gauges.ts';
import { createOutages } from './outages.ts';
import { blobPresigner } from './pictures/blob-presigner.ts';
import { bucketPresigner } from './pictures/bucket-presigner.ts';
import { createReadiness, type Readiness } from './readiness.ts';
import { seenNotes } from './runners/seen-notes.ts';
import type { Stores } from './stores.ts';
import { startSweeps } from './sweeps.ts';
import { defaultTiming, type Timing } from './timing.ts';
import { startTracing } from './tracing/start-tracing.ts';
import { fromEach } from './worker-secrets.ts';

/** A bridge that serves. */
export interface Bridge {
  /** Where it listens. */
  readonly url: string;
  /** What runners sign for. */
  readonly publicUrl: string;
  readonly adminToken: Secret;
  /** Where everything is kept, for people. */
  readonly place: string;
  /** Ends polls and streams with proper answers, then everything else. Safe to call twice. */
  close(): Promise<void>;
}

/** What a bridge takes from outside. */
export interface BridgeDeps {
  clock: Clock;
  log: Log;
  timing?: Partial<Timing>;
  intakeTimes?: Partial<IntakeTimes>;
  /** Called before a database is made, which takes a few seconds. */
  onFirstStart?: () => void;
  /** Ends a start that waits for a server. */
  signal?: AbortSignal;
}

/**
 * Starts a bridge: on its embedded default, everything in the data folder and no other server needed, or beside the servers
 * of `config.servers`. Throws EnvironmentError when the folder is in use, a server cannot be used or the port is taken,
 * ServerUnavailableError when a server does not answer for half a minute, CancelledError when `signal` ended the start;
 * nothing is left behind then.
 */
export async function startBridge(config: BridgeConfig, given: BridgeDeps): Promise<Bridge> {
  const deps: BridgeDeps = { ...given, log: bridgeLog(given.log) };
  const undo: (() => Promise<void> | void)[] = [];
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      for (const step of undo.reverse()) await step();
    })();
    return closing;
  };
  try {
    const { servers } = config;
    const { timing } = deps;
    const stores =
      servers === null
        ? await openEmbedded(config, deps)
        : await openServers(servers, config, { ...deps, patienceMs: timing?.serverPatienceMs });
    undo.push(() => stores.close());

    let url = '';
    const publicUrl = (): string => config.publicUrl ?? url;
    const { app, readiness, startIntake } = await compose({ config, ...deps, stores, publicUrl, undo });
    url = await listen(app, config);
    await stores.announce(url);
    await startIntake();
    undo.push(() => readiness.close());
    return { url, publicUrl: publicUrl(), adminToken: stores.adminToken, place: stores.place, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Parts extends BridgeDeps {
  config: BridgeConfig;
  stores: Stores;
  publicUrl: () => string;
  undo: (() => Promise<void> | void)[];
}

/** Names this bridge among several, in logs and traces. */
const bridgeName = `${hostname()}:${process.pid}`;

/** Everything between stores and socket, put together; what must be ended is added to `undo`. */
async function compose(
  parts: Parts,
): Promise<{ app: FastifyInstance; readiness: Readiness; startIntake: () => Promise<void> }> {
  const { config, clock, log, stores, publicUrl, undo } = parts;
  const { db, now, hints, events, nonces, blobs, workerSecrets, adminToken, autoApprove } = stores;
  const timing: Timing = { ...defaultTiming, ...config.timing, ...parts.timing };
  const nowMs = () => clock.nowMs();
  const teller = createTeller({ db, now, events, log });
  const metrics = createMetrics({ clock, log });
  const tracing =
    config.tracing === null
      ? null
      : await startTracing(config.tracing, { events, log, instance: bridgeName });
  if (tracing !== null) undo.push(() => tracing.close());
  const observers = [runLine({ log, bridge: bridgeName }), metrics.runEnded];
  if (tracing !== null) observers.push(tracing.observe);
  const observe = everyObserver(observers, log);
  const leases = { db, now, timing, hints, events, teller, observe, returned: metrics.leaseReturned, log };
  metrics.addSource('fleet', fleetGauges({ db, now, timing }));
  metrics.addSource('secrets', secretGauges({ db, now, workerSecrets }));
  const dispatcher = createDispatcher({ ...leases, clock });
  const intake =
    config.servers === null
      ? null
      : createIntake(config.servers, { ...leases, clock, dispatcher, times: parts.intakeTimes ?? {} });
  if (intake !== null) metrics.addSource('intake', intake.gauges);
  const dependencies = [...stores.dependencies, ...(intake === null ? [] : [intake])];
  const outages = createOutages({ dependencies: stores.dependencies, log });
  const streams = eventStreams(timing.streamHeartbeatMs);
  const seen = seenNotes({ ...leases, clock });
  const readiness = createReadiness({ dependencies, clock, log });
  const signingKeys = fromEach(workerSecrets, (secret) => bridgeKey(secret, 'blob-urls'));
  const uploads = { ttlMs: timing.uploadUrlMs, nowMs };
  const presigner =
    config.bucket === null
      ? blobPresigner({ signingKey: signingKeys[0], publicUrl, ...uploads })
      : bucketPresigner(config.bucket, uploads);
  const all = {
    ...leases,
    workerSecrets,
    peppers: fromEach(workerSecrets, (secret) => bridgeKey(secret, 'pairing-codes')),
    publicUrl,
    autoApprove,
    isManagedAllowed: config.managedPairSecret !== null,
    endOfVersions: config.endOfVersions,
    nowMs,
  };
  const auth = {
    ...all,
    adminToken,
    managedSecret: config.managedPairSecret,
    callers: knownCallers({ ...leases, nowMs }),
    keysOf: derivedKeys(workerSecrets),
    nonces,
  };
  const app = createApp(
    {
      auth,
      streams,
      outages,
      log,
      trustedProxies: config.trustedProxies,
    },
    {
      ...pairingRoutes(all),
      ...runnerRoutes(all),
      ...countHandlers(leaseRoutes({ ...all, dispatcher, presigner, seen }), metrics),
      ...blobRoutes({ blobs, signingKeys, nowMs }),
      ...operatorRunnerRoutes(all),
      ...operatorRunRoutes(leases),
      ...systemRoutes({ readiness, metrics, publicUrl }),
    },
  );
  const inFlight = countInFlight(app);
  countRequests(app, metrics);
  const sweeps = startSweeps({ ...leases, clock, dispatcher, outages });
  undo.push(
    () => seen.settled(),
    () => sweeps.stop(),
    async () => {
      dispatcher.stop();
      streams.stop();
      await inFlight.finished();
      await app.close();
    },
  );
  async function startIntake(): Promise<void> {
    if (intake === null) return;
    undo.push(() => intake.drain());
    await intake.start();
  }
  return { app, readiness, startIntake };
}

async function listen(app: FastifyInstance, { host, port }: BridgeConfig): Promise<string> {
  try {
    await app.listen({ host, port, backlog: 4_096 });
  } catch (error) {
    if (systemErrorCode(error) === 'EADDRINUSE') {
      throw new EnvironmentError(`the port ${port} on ${host} is taken by another program`, {
        hint: 'Stop that program, or set PORT to another port (0 takes any free one).',
        cause: error,
      });
    }
    throw new EnvironmentError(`cannot listen on ${host}, port ${port}: ${errorText(error)}`, {
      hint: 'Check HOST and PORT.',
      cause: error,
    });
  }
  const address = app.server.address();
  return addressUrl(host, typeof address === 'object' && address !== null ? address.port : port);
}
