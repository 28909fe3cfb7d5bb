import * as z from 'zod';
import { type CommandContext, defineCommand } from '../../../command-line/command.ts';
import { type OpenLog, openLog } from '../../../command-line/open-log.ts';
import { systemClock } from '../../../lib/clock.ts';
import { CancelledError } from '../../../lib/errors.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { type Bridge, startBridge } from '../../bridge.ts';
import { type BridgeConfig, dataFolder, readBridgeConfig } from '../../config.ts';
import { callBridge } from '../operator-client.ts';
import { pairCommand } from './code.ts';

const options = z.object({
  args: z.tuple([]),
  host: z.string().min(1).optional(),
  port: z.string().optional(),
  dataDir: z.string().min(1).optional(),
  verbose: z.boolean().default(false),
  logFormat: z.enum(['text', 'json']).optional(),
});

/** `qualinet-bridge serve`: the bridge, until a signal. */
export const serve = defineCommand({
  options,
  async run({ host, port, dataDir, verbose, logFormat }, context) {
    const config = readBridgeConfig({
      ...context.env,
      ...(host === undefined ? {} : { HOST: host }),
      ...(port === undefined ? {} : { PORT: port }),
      ...(dataDir === undefined ? {} : { QUALINET_DATA_DIR: dataDir }),
    });
    const opened = openLog(context, { format: logFormat, level: verbose ? 'debug' : 'info' });
    const { log } = opened;
    const stopped = firstSignal(context);
    try {
      const onFirstStart = (): void =>
        log.info(`making the database in ${config.dataDir} (once, a few seconds)`);
      const deps = { clock: systemClock, log, onFirstStart, signal: stopped.now };
      const bridge = await startBridge(config, deps).catch((error: unknown) => {
        if (error instanceof CancelledError) return null;
        throw error;
      });
      if (bridge === null) return exitCode.done;
      try {
        await introduce(bridge, config, opened, context);
        await stopped.signal;
        log.info('stopping; runners keep their runs and come back to the next bridge');
      } finally {
        await bridge.close();
      }
      return exitCode.done;
    } finally {
      stopped.end();
    }
  },
});

/** Resolves, and aborts `now`, at the first signal; the second one ends the process at once. */
function firstSignal({ onSignal, exit }: CommandContext): {
  signal: Promise<void>;
  now: AbortSignal;
  end: () => void;
} {
  let end = (): void => {};
  const stop = new AbortController();
  const signal = new Promise<void>((resolve) => {
    let isFirst = true;
    end = onSignal((name) => {
      if (!isFirst) exit(name === 'SIGINT' ? exitCode.interrupted : exitCode.terminated);
      isFirst = false;
      stop.abort();
      resolve();
    });
  });
  return { signal, now: stop.signal, end: () => end() };
}

async function introduce(
  bridge: Bridge,
  { servers, dataDir }: BridgeConfig,
  { log, isForPeople }: OpenLog,
  { stderr }: CommandContext,
): Promise<void> {
  const { url, publicUrl, place } = bridge;
  if (!isForPeople) {
    log.info('the bridge serves', { url, publicUrl, place });
    return;
  }
  const more =
    servers !== null ? ` --api ${publicUrl}` : dataDir === dataFolder({}) ? '' : ` --data-dir ${dataDir}`;
  stderr.write(
    `Bridge   ${url}${publicUrl === url ? '' : ` (runners use ${publicUrl})`}\nData     ${place}\n`,
  );
  // A code in a log file would be a key under the mat, so only a person at a terminal gets one unasked.
  const code = stderr.isTTY && servers === null ? await codeForFirstRunner(bridge) : null;
  stderr.write(
    code === null
      ? `Next     qualinet-bridge code${more}                    pair a runner\n         qualinet-bridge submit FLOW.json --wait${more}  run a flow\n`
      : `Next     ${pairCommand(code.code, code.apiBaseUrl)}\n         (the code is good for 5 minutes; another one: qualinet-bridge code${more})\n`,
  );
}

async function codeForFirstRunner({ url, adminToken: token }: Bridge) {
  try {
    const { runners } = await callBridge({ url, token }, 'listRunners');
    return runners.length > 0 ? null : await callBridge({ url, token }, 'createCode', { body: {} });
  } catch {
    // Three codes may be open from an earlier start; the hint how to make one is then enough.
    return null;
  }
}
