import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../protocol/limits.ts';
import { routes } from '../../protocol/routes.ts';
import { type Check, ok, warning } from './check.ts';

/** How long an answer may take on a connection that works. */
const answerMs = 5_000;

/**
 * How long a silent connection lives on this way: several are held, each for longer than the one before, and asked at the end.
 * A poll is silent for as long as there is no run.
 */
export const idleCut: Check = {
  name: 'idle',
  title: 'Idle connections',
  needs: ['bridge', 'tls'],
  fix: `Raise the idle time-out of proxy, firewall or load balancer to ${limits.pollWaitMs / 1_000 + 5} s or more`,
  limitMs: 90_000,
  isDeep: true,
  async run({ target: ask, way, clock, idleHoldsMs }, signal) {
    const target = await ask();
    const hold = async (holdMs: number): Promise<Held> => {
      const opened = await way.open(target, signal);
      if ('refusal' in opened) throw new Error(`the proxy answers ${opened.refusal.status}`);
      const socket = target.protocol === 'https:' ? await way.secure(target, opened.socket) : opened.socket;
      try {
        return await holdSilently(socket, target, holdMs, clock, signal);
      } finally {
        socket.destroy();
        opened.socket.destroy();
      }
    };
    const held = await Promise.all(idleHoldsMs.map(hold));
    const first = held.find(({ isAlive }) => !isAlive);
    const longestMs = Math.max(0, ...held.filter(({ isAlive }) => isAlive).map(({ holdMs }) => holdMs));
    if (first === undefined) return ok(`a silent connection lives for ${seconds(longestMs)} and longer`);
    const text =
      first.closedAfterMs === null
        ? `a silent connection is dropped without a word between ${seconds(longestMs)} and ${seconds(first.holdMs)}`
        : `a silent connection is closed after ${seconds(first.closedAfterMs)}`;
    const livesMs = first.closedAfterMs ?? longestMs;
    return livesMs > limits.pollWaitMs
      ? ok(`${text}; polls are silent for ${seconds(limits.pollWaitMs)} at most`)
      : warning(
          `${text}; polls are made shorter by themselves, and runs may wait longer for this runner`,
          idleCut.fix,
        );
  },
};

interface Held {
  holdMs: number;
  isAlive: boolean;
  /** When the other side closed it, null where it did not. */
  closedAfterMs: number | null;
}

async function holdSilently(
  socket: Socket,
  target: URL,
  holdMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Held> {
  if (!(await isAnswered(socket, target, clock, signal))) throw new Error('a first request was not answered');
  const startedMs = clock.monotonicMs();
  const closed = new AbortController();
  const onClose = (): void => closed.abort(null);
  // A half-closed connection takes no requests any more, either.
  socket.once('close', onClose).once('end', onClose);
  await Promise.race([
    clock.sleep(holdMs, signal),
    new Promise((resolve) => closed.signal.addEventListener('abort', resolve, { once: true })),
  ]);
  if (closed.signal.aborted)
    return { holdMs, isAlive: false, closedAfterMs: clock.monotonicMs() - startedMs };
  return { holdMs, isAlive: await isAnswered(socket, target, clock, signal), closedAfterMs: null };
}

/** Asks for something small on a connection that stays open. */
async function isAnswered(socket: Socket, target: URL, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const answered = new Promise<boolean>((resolve) => {
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1').startsWith('HTTP/1.1 ')));
    socket.once('close', () => resolve(false));
  });
  const path = `${target.pathname.replace(/\/$/, '')}${routes.health.path}`;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${target.host}\r\nconnection: keep-alive\r\n\r\n`);
  const over = new AbortController();
  const tooLate = clock.sleep(answerMs, over.signal).then(
    () => false,
    () => false,
  );
  const isAlive = await Promise.race([answered, tooLate]);
  over.abort(null);
  signal.throwIfAborted();
  return isAlive;
}

function seconds(ms: number): string {
  return `${Number((ms / 1_000).toFixed(1))} s`;
}
