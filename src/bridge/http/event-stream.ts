import type { ServerResponse } from 'node:http';
import type { EventStream, StreamMessage } from './handler.ts';

/** The event streams that are open, so that a bridge that stops can end them. */
export interface EventStreams {
  /** Writes a stream to its end; resolves when it has ended or the peer has gone. */
  serve(response: ServerResponse, stream: NonNullable<EventStream>): Promise<void>;
  /** Ends all of them and takes no more. */
  stop(): void;
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Some proxies gather an answer before they pass it on unless told not to.
  'x-accel-buffering': 'no',
};

/** Streams with a comment line every `heartbeatMs`, which keeps proxies from cutting and shows the peer that we live. */
export function eventStreams(heartbeatMs: number): EventStreams {
  const open = new Set<() => void>();
  let isStopped = false;
  return {
    async serve(response, stream) {
      const ended = new AbortController();
      const end = (): void => ended.abort();
      open.add(end);
      if (isStopped) end();
      response.on('close', end);
      response.writeHead(200, headers);
      response.write(': open\n\n');
      const heartbeat = setInterval(() => response.write(': \n\n'), heartbeatMs);
      try {
        for await (const message of stream(ended.signal)) {
          if (ended.signal.aborted) break;
          if (!response.write(messageText(message))) await drained(response, ended.signal);
        }
      } finally {
        clearInterval(heartbeat);
        open.delete(end);
        response.off('close', end);
        response.end();
      }
    },
    stop() {
      isStopped = true;
      for (const end of open) end();
    },
  };
}

function messageText({ event, id, data }: StreamMessage): string {
  const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.on('drain', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
