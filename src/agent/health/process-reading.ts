import { performance } from 'node:perf_hooks';

/** What the process of the runner itself uses. */
export interface ProcessReading {
  residentBytes: number;
  heapBytes: number;
  cpuSeconds: number;
  upSeconds: number;
  /** 0 to 1, since the reading before. */
  loopUtilization: number;
}

/** Gives a function that reads it now. */
export function processReader(): () => ProcessReading {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    return {
      residentBytes: rss,
      heapBytes: heapUsed,
      cpuSeconds: (user + system) / 1e6,
      upSeconds: process.uptime(),
      loopUtilization: utilization,
    };
  };
}
