import { type BrowserRegister, openBrowserRegister } from '../agent/life/browser-register.ts';
import { systemFlightDeps } from '../agent/life/flight-deps.ts';
import { type EndOfLife, type FlightRecord, openFlightRecord } from '../agent/life/flight-record.ts';
import { reapBrowsers } from '../agent/life/reap-browsers.ts';
import type { CommandContext } from '../command-line/command.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { version } from '../lib/version.ts';

/** One life of a runner, from taking the lock of its home to giving it back. */
export interface Life {
  record: FlightRecord;
  /** Hears of the browsers of this life. */
  browsers: BrowserRegister;
  /** All browsers have ended. Never rejects. */
  close(end: EndOfLife): Promise<void>;
}

/** Begins a life: looks why the last one ended, says so unless that was in order, and removes what it left running. */
export async function openLife(home: string, context: CommandContext, log: Log): Promise<Life> {
  const deps = { clock: systemClock, log };
  const record = await openFlightRecord(home, version, systemFlightDeps(deps));
  const { lastEnd } = record;
  if (lastEnd !== null && lastEnd.kind !== 'in_order')
    log.warn(`the last life of this runner: ${lastEnd.text}`);
  const leftFolders = await reapBrowsers(home, deps);
  const browsers = await openBrowserRegister(home, { leftFolders, log });
  const restoreTempFolder = context.useTempFolder(browsers.tempFolder);
  return {
    record,
    browsers,
    async close(end) {
      restoreTempFolder();
      await browsers.close();
      await record.close(end);
    },
  };
}
