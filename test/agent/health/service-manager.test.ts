import { describe, expect, it } from 'vitest';
import { openServiceManager, systemdNotify } from '../../../src/agent/health/service-manager.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { notifySocket } from '../../support/notify-socket.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';
import { keptLog } from '../agent-fixture.ts';

function manager({ watchdogMs = null as number | null, notify = async () => {} } = {}) {
  const clock = new ManualClock();
  const log = keptLog();
  const sent: string[][] = [];
  const pulse = { overdue: 0, overdueMs: () => pulse.overdue };
  const opened = openServiceManager(
    { watchdogMs },
    {
      clock,
      log,
      pulse,
      async notify(assignments) {
        sent.push([...assignments]);
        await notify();
      },
    },
  );
  const signs = () => sent.flat().filter((assignment) => assignment === 'WATCHDOG=1').length;
  return { opened, clock, log, sent, pulse, signs };
}

describe('what systemd hears', () => {
  it('is a sign of life three times within what the watchdog allows, and none after the end', async () => {
    const { opened, clock, signs } = manager({ watchdogMs: 60_000 });
    await clock.advance(0);
    expect(signs()).toBe(1);
    await clock.advance(19_999);
    expect(signs()).toBe(1);
    await clock.advance(1);
    expect(signs()).toBe(2);
    await clock.advance(100_000);
    expect(signs()).toBe(7);
    await opened.close();
    expect(clock.sleepers).toBe(0);
    await clock.advance(100_000);
    expect(signs()).toBe(7);
  });

  it('is no sign of life while the lease loop is stuck, which is said once, and one again when it goes on', async () => {
    const { opened, clock, pulse, signs, log } = manager({ watchdogMs: 60_000 });
    await clock.advance(0);
    pulse.overdue = 5_000;
    await clock.advance(60_000);
    expect(signs()).toBe(1);
    expect(log.lines).toEqual([expect.stringContaining('the lease loop is stuck')]);
    pulse.overdue = 0;
    await clock.advance(20_000);
    expect(signs()).toBe(2);
    await opened.close();
  });

  it('is nothing at all by itself without a watchdog', async () => {
    const { opened, clock, sent } = manager();
    await clock.advance(1_000_000);
    expect(sent).toEqual([]);
    await opened.close();
  });

  it('is the newest text only, once a second at most, on one line whatever a server wrote into it', async () => {
    const { opened, clock, sent } = manager();
    opened.status('first');
    await clock.advance(0);
    await clock.advance(500);
    opened.status('passed over');
    opened.status('an error\nREADY=1\nMAINPID=1');
    await clock.advance(499);
    expect(sent).toEqual([['STATUS=first']]);
    await clock.advance(1);
    expect(sent).toEqual([['STATUS=first'], ['STATUS=an error READY=1 MAINPID=1']]);
    await opened.close();
  });

  it('that cannot be told is said once, and tried again', async () => {
    const { opened, clock, sent, log } = manager({
      watchdogMs: 3_000,
      notify: () => Promise.reject(new Error('no such program')),
    });
    await clock.advance(5_000);
    expect(sent.length).toBeGreaterThan(3);
    expect(log.lines).toEqual([expect.stringContaining('no such program')]);
    await opened.close();
  });

  it('is sent to the socket it listens on', async () => {
    const { env, heard } = await notifySocket(await tempFolder());
    const notify = systemdNotify(env);
    await notify(['READY=1', 'STATUS=waiting for runs']);
    await notify(['STOPPING=1']);
    await until('all is heard', () => heard.length >= 3);
    expect(heard).toEqual(['READY=1', 'STATUS=waiting for runs', 'STOPPING=1']);
  });

  it('names the program when that is missing', async () => {
    const notify = systemdNotify({ PATH: await tempFolder() });
    await expect(notify(['READY=1'])).rejects.toThrow('systemd-notify');
  });
});
