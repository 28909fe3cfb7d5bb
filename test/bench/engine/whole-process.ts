import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runnerProgram } from '../../support/system.ts';
import { startBenchSite } from '../bench-site.ts';
import { interleave, type Measured } from '../interleave.ts';
import { writeListFlow } from './list-flow.ts';
import { type PeerProgram, peerPrograms, timeProgram } from './peer-programs.ts';
import { peakTreeMemory } from './tree-memory.ts';

/** What whole processes take for the ten steps, and what they hold at most. */
export interface WholeProcess {
  times: Measured[];
  memory: { name: string; medianMb: number; rounds: number }[];
}

/** Each tool runs the ten steps from nothing to its end, all with the same browser, in turn. Memory is measured in rounds of its own, because looking takes time. */
export async function measureWholeProcess(
  rounds: number,
  { packages, browser }: { packages: string; browser: string },
): Promise<WholeProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-bench-'));
  const site = await startBenchSite();
  try {
    const files = await writeListFlow(join(folder, 'list'), `${site.url}/`, browser);
    const programs = await peerPrograms(files, {
      url: `${site.url}/`,
      browser,
      packages,
      runner: runnerProgram,
    });
    const times = await interleave(
      programs.map((program) => ({ name: program.name, round: () => timeProgram(program, files.folder) })),
      rounds,
      { warmUp: 1, restMs: 300 },
    );
    const memory: WholeProcess['memory'] = [];
    for (const program of programs.slice(0, 2)) {
      const peaks: number[] = [];
      for (let round = 0; round < Math.min(rounds, 5); round += 1)
        peaks.push(await peakOf(program, files.folder));
      peaks.sort((a, b) => a - b);
      memory.push({
        name: program.name,
        medianMb: peaks[Math.floor(peaks.length / 2)] ?? Number.NaN,
        rounds: peaks.length,
      });
    }
    return { times, memory };
  } finally {
    site.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function peakOf(program: PeerProgram, cwd: string): Promise<number> {
  let peak: Promise<number> = Promise.resolve(Number.NaN);
  await timeProgram(program, cwd, (pid) => {
    peak = peakTreeMemory(pid);
  });
  return peak;
}
