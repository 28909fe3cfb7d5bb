import { runnerProgram } from '../../support/system.ts';
import { runProgram } from './run-program.ts';
import { oneLine, type Verdict } from './verdict.ts';

/** The verdicts of `qualinet run FILE --json` on the flows in a file; what is not a whole run counts as failed, with what it said. */
export async function ourVerdicts(
  file: string,
  { folder, browser }: { folder: string; browser: string },
): Promise<Verdict[]> {
  const { stdout, stderr } = await runProgram(
    [runnerProgram, 'run', file, '--json', '--browser', browser, '--allow-root'],
    { cwd: folder, timeoutMs: 600_000 },
  );
  if (stdout.trim() === '') return [{ unit: '', passed: false, error: oneLine(stderr) }];
  const told = JSON.parse(stdout) as ToldRun & { runs?: readonly ToldRun[] };
  return (told.runs ?? [told]).map((run) => ({
    unit: run.name ?? '',
    passed: run.status === 'passed',
    error: oneLine(run.error?.message ?? failuresOf(run).join('; ')),
  }));
}

interface ToldRun {
  name?: string;
  status: string;
  error?: { message: string };
  stepsResult?: readonly { nodeId: string; status: string; error?: string }[];
}

function failuresOf({ stepsResult = [] }: ToldRun): string[] {
  return stepsResult
    .filter(({ status }) => status === 'failed')
    .map(({ nodeId, error }) => `${nodeId}: ${error}`);
}
