import { readdir, readFile } from 'node:fs/promises';

/** One process, as Linux shows it. */
interface FoundProcess {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  /** Its command line. */
  readonly says: string;
}

/** Living processes that were started for a place: its path is in their command line or environment, or in a parent's. */
export async function processesOf(place: string): Promise<FoundProcess[]> {
  const all = await allProcesses();
  const found = all.filter(({ isNamed }) => isNamed(place));
  // Renderers overwrite both when they give themselves a title.
  for (let open = found; open.length > 0; ) {
    const parents = new Set(open.map(({ pid }) => pid));
    open = all.filter((one) => parents.has(one.parent) && !found.includes(one));
    found.push(...open);
  }
  return found.filter(({ state }) => state !== 'Z');
}

async function allProcesses(): Promise<(FoundProcess & { isNamed(place: string): boolean })[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return Promise.all(
    ids.map(async (id) => {
      const [says = '', environment = '', stat = ''] = await Promise.all(
        ['cmdline', 'environ', 'stat'].map((file) => readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '')),
      );
      const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return {
        pid: Number(id),
        parent: Number(parent),
        state,
        says: says.replaceAll('\0', ' ').trim(),
        isNamed: (place: string) => `${says}${environment}`.includes(place),
      };
    }),
  );
}

/** The main process of the browser of the runner at `place`, or one of its renderers; null when there is none. */
export async function browserProcess(place: string, kind: 'browser' | 'renderer'): Promise<number | null> {
  const all = await processesOf(place);
  const chromium = all.filter(({ says }) => /chrom/i.test(says) && !says.includes('qualinet.js'));
  const wanted = chromium.filter(({ says }) =>
    kind === 'renderer' ? says.includes('--type=renderer') : !says.includes('--type='),
  );
  return wanted.at(-1)?.pid ?? null;
}
