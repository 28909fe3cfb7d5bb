import * as z from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { duration } from '../../../lib/duration.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import type { Lack, WhyResponse } from '../../../protocol/why-messages.ts';
import { lackText } from '../../runs/why-summary.ts';
import { connectionOptions, findBridge } from '../connection.ts';
import { callBridge } from '../operator-client.ts';
import { table } from '../table.ts';

/** `qualinet-bridge why ID`: why a run waits, then what each runner lacks to take it. */
export const why = defineCommand({
  options: z.object({ args: z.tuple([z.uuid('must be the ID of a run')]), ...connectionOptions }),
  async run({ args: [runId], json, ...where }, { env, stdout }) {
    const answer = await callBridge(await findBridge(where, env), 'explainRun', { params: { runId } });
    stdout.write(json ? `${JSON.stringify(answer)}\n` : whyText(answer));
    return exitCode.done;
  },
});

function whyText({ summary, waitedMs, runners, moreRunners }: WhyResponse): string {
  const waited = waitedMs === null ? '' : `It has waited for ${duration(waitedMs)}.\n`;
  if (runners.length === 0) return `${summary}\n${waited}`;
  const rows = runners.map(({ runnerId, name, lacks }) => [
    runnerId,
    name,
    lacks.length === 0 ? 'can take it' : lacks.map(lackLine).join('; '),
  ]);
  const more = moreRunners === 0 ? '' : `and ${moreRunners} more that come less close\n`;
  return `${summary}\n${waited}\n${table(['RUNNER', 'NAME', 'IS'], rows)}${more}`;
}

function lackLine(lack: Lack): string {
  switch (lack.what) {
    case 'offline':
      return lack.lastSeenAt === null ? 'offline, never seen' : `offline since ${lack.lastSeenAt}`;
    case 'full': {
      const about = lack.freeInMs === null ? '' : `in about ${duration(lack.freeInMs)}, `;
      return `full with ${lack.holds} of ${lack.concurrency}; free ${about}in ${duration(lack.freeAtMostMs)} at the latest`;
    }
    case 'too_old':
      return `${lackText(lack)} (protocol ${lack.protocol}, needed ${lack.needs})`;
    case 'not_approved':
      return `${lack.state}, not approved`;
    default:
      return lackText(lack);
  }
}
