import { EventSource } from 'eventsource';
import * as z from 'zod';
import { abortScope } from '../../lib/abort-scope.ts';
import { type Clock, fullJitterMs } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { BridgeClient } from './bridge-client.ts';
import type { RawResponse, Transport } from './transport.ts';

export interface ControlStreamDeps {
  client: BridgeClient;
  transport: Transport;
  clock: Clock;
  random: () => number;
  log: Log;
  signal: AbortSignal;
  /** A run may be waiting. */
  onPoll(): void;
  /** Orders may be waiting for this lease. */
  onHeartbeat(leaseId: string): void;
  /**
   * Whether hints get through: from the first byte of a stream to its end. One that says nothing for 40 s is ended by the
   * transport; a proxy that keeps back what it should pass on lets none begin.
   */
  onHeard(isHeard: boolean): void;
}

/** Reconnecting waits up to this: the stream only makes things faster, nobody waits for it. */
const longestPauseMs = 60_000;

const heartbeatHint = z.object({ leaseId: z.uuid() });

/**
 * Listens for hints until `signal` ends it. They are not signed and decide nothing: a hint makes a signed poll or heartbeat
 * come sooner. A stream that fails is opened again after a pause and never told to anybody but the debug log.
 */
export async function followControl(deps: ControlStreamDeps): Promise<void> {
  const { clock, signal, random, log } = deps;
  for (let failures = 0; !signal.aborted; failures += 1) {
    const { wasOpen, why } = await streamOnce(deps);
    if (wasOpen) failures = 0;
    log.debug(`the control stream ended: ${why}`);
    await clock.sleep(fullJitterMs(failures, { capMs: longestPauseMs, random }), signal).catch(() => {});
  }
}

/** One connection; resolves when it has ended. The library's own reconnecting is not used: it has no jitter. */
function streamOnce({ client, transport, signal, onPoll, onHeartbeat, onHeard }: ControlStreamDeps): Promise<{
  wasOpen: boolean;
  why: string;
}> {
  return new Promise((resolve) => {
    const { url, headers: signed } = client.signedGet('control');
    let wasOpen = false;
    let isHeard = false;
    let isEnded = false;
    const hear = (): void => {
      if (isEnded || isHeard) return;
      isHeard = true;
      onHeard(true);
    };
    const scopes: { close(): void }[] = [];
    const source = new EventSource(url, {
      fetch: async (_url, init) => {
        const ending: unknown = init.signal;
        const scope = abortScope([signal, ending instanceof AbortSignal ? ending : undefined]);
        scopes.push(scope);
        const response = await transport.send({
          method: 'GET',
          url,
          headers: { ...init.headers, ...signed },
          body: null,
          signal: scope.signal,
        });
        const { url: from, status, redirected, headers, body } = response;
        if (status !== 200 || body === null) return response;
        // Comments show that bytes get through, and are all that most streams ever carry; the library hides them.
        return { url: from, status, redirected, headers, body: tellingOfChunks(body, hear) };
      },
    });
    const end = (why: string): void => {
      signal.removeEventListener('abort', onAbort);
      source.close();
      for (const scope of scopes) scope.close();
      isEnded = true;
      if (isHeard) onHeard(false);
      isHeard = false;
      resolve({ wasOpen, why });
    };
    const onAbort = (): void => end('stopped');
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    source.addEventListener('open', () => {
      wasOpen = true;
    });
    source.addEventListener('error', (event) => end(event.message ?? `status ${event.code ?? 'unknown'}`));
    source.addEventListener('poll', () => onPoll());
    source.addEventListener('heartbeat', ({ data }) => {
      const leaseId = leaseIdOf(data);
      if (leaseId !== null) onHeartbeat(leaseId);
    });
  });
}

/** The same body; `onChunk` is told of each part that comes. */
function tellingOfChunks(body: NonNullable<RawResponse['body']>, onChunk: () => void) {
  return {
    getReader() {
      const reader = body.getReader();
      return {
        cancel: () => reader.cancel(),
        async read() {
          const part = await reader.read();
          if (!part.done) onChunk();
          return part;
        },
      };
    },
  };
}

function leaseIdOf(data: unknown): string | null {
  try {
    return heartbeatHint.safeParse(JSON.parse(String(data))).data?.leaseId ?? null;
  } catch {
    return null;
  }
}
