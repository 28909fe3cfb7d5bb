import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import { version } from '../../lib/version.ts';
import { htmlReport } from '../../report/html.ts';
import { junitReport } from '../../report/junit.ts';
import type { ReportedRun } from '../../report/reported-run.ts';
import type { ReportFile } from './report-option.ts';

/** Writes the reports, folders made. Throws EnvironmentError for a place where none can be written. */
export async function writeReports(
  reports: readonly ReportFile[],
  runs: readonly ReportedRun[],
  { cwd, madeAt }: { cwd: string; madeAt: number },
): Promise<void> {
  for (const { kind, path } of reports) {
    const full = resolve(cwd, path);
    const text =
      kind === 'junit' ? junitReport(runs) : htmlReport(runs, { picture, madeAt, by: `qualinet ${version}` });
    try {
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, text);
    } catch (error) {
      throw new EnvironmentError(`cannot write the report ${path}: ${errorText(error)}`, {
        hint: `Name another file: --report ${kind}=FILE`,
        cause: error,
      });
    }
  }
}

function picture(url: string): string | null {
  try {
    const bytes = readFileSync(fileURLToPath(url));
    const type = url.endsWith('.jpeg') ? 'image/jpeg' : 'image/png';
    return `data:${type};base64,${bytes.toString('base64')}`;
  } catch {
    return null;
  }
}
