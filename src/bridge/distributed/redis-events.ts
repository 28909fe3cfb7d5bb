import type { Redis } from 'ioredis';
import { type RunUpdate, runUpdateSchema } from '../../protocol/run-result.ts';
import { type EventLog, fromTheFirst, isAfter, positionText, updatesPerPage } from '../events/event-log.ts';
import { hintMessage, hintsChannel } from './redis-hints.ts';

/** How long the updates of a run can be read after its last one; the row keeps the result. */
const historyMs = 24 * 3_600_000;

/** Channel of a run's updates. Source: the original specification, section 2. */
function updatesChannel(runId: string): string {
  return `run-updates:${runId}`;
}

/** Stream that keeps them. */
export function updatesStream(runId: string): string {
  return `qualinet:events:${runId}`;
}

/**
 * Adds each update under its position, and publishes it only if it was new: the stream takes ids that grow, so that it
 * decides what is a repeat. One call, so that nothing comes between.
 * KEYS: stream. ARGV: channel, expiry (ms), channel and text of the hint, then id and payload of each update.
 */
const addScript = `
local added = 0
for i = 5, #ARGV, 2 do
  local reply = redis.pcall('XADD', KEYS[1], ARGV[i], 'update', ARGV[i + 1])
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'equal or smaller', 1, true) then return redis.error_reply(reply.err) end
  else
    added = added + 1
    redis.call('PUBLISH', ARGV[1], ARGV[i + 1])
  end
end
if added > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return added`;

/** Updates of runs in Redis: published once on `run-updates:<runId>`, kept in a stream of the run for a day. */
export function redisEvents(redis: Redis): EventLog {
  return {
    async add(runId, updates) {
      const last = updates.at(-1);
      const position = last === undefined ? undefined : { fence: last.fence, seq: last.seq };
      await redis.eval(
        addScript,
        1,
        updatesStream(runId),
        updatesChannel(runId),
        historyMs,
        hintsChannel,
        hintMessage('', { about: 'run', runId, position }),
        ...updates.flatMap((update) => [positionText(update), JSON.stringify(update)]),
      );
    },
    async read(runId, position) {
      const from = isAfter(position, fromTheFirst) ? `(${positionText(position)}` : '-';
      const entries = await redis.xrange(updatesStream(runId), from, '+', 'COUNT', updatesPerPage);
      return entries.map(([, fields]): RunUpdate => runUpdateSchema.parse(JSON.parse(fields[1] ?? '')));
    },
  };
}
