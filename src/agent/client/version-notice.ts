import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { createReminder } from '../../lib/reminder.ts';
import type { Notice } from '../../protocol/messages.ts';

const everyMs = 86_400_000;

/** What to type where a newer version is needed. */
export const howToUpgrade = 'Install the current one: npm install -g @qualitas-id/qualinet@latest';

/** Warns that this version will be refused: of each announcement at most once a day, though every poll repeats it. */
export function createVersionNotice({
  clock,
  log,
  version,
}: {
  clock: Clock;
  log: Log;
  version: string;
}): (notice: Notice | undefined) => void {
  const reminder = createReminder(clock, everyMs);
  return (notice) => {
    if (notice === undefined) return;
    const text = versionNoticeText(notice, version);
    if (reminder.isDue(text)) log.warn(`${text}. ${howToUpgrade}`, { ...notice });
  };
}

/** An announcement in words. */
export function versionNoticeText({ minVersion, from }: Notice, version: string): string {
  return `from ${from} on the bridge serves version ${minVersion} or newer; this runner is ${version} and will be refused`;
}
