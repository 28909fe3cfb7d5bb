import { basename } from 'node:path';
import * as z from 'zod';
import { defineCommand } from '../../command-line/command.ts';
import { checkFlow } from '../../flow/check-flow.ts';
import { UsageError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { printable } from '../../lib/printable.ts';
import { exportPlaywright } from '../../recordings/export-playwright.ts';
import { loadFlows } from '../flows/load-flows.ts';
import { writeNewFile } from '../flows/new-file.ts';

const options = z.object({
  args: z.tuple([z.string()]),
  playwright: z.boolean().default(false),
  output: z.string().optional(),
  lenient: z.boolean().default(false),
  force: z.boolean().default(false),
});

/** `qualinet export FLOW.json --playwright`: a flow as a test of another tool. */
export const exportFlow = defineCommand({
  options,
  async run({ args: [path], playwright, output, lenient, force }, context) {
    if (!playwright)
      throw new UsageError('it is not said as what', {
        hint: `As a test of Playwright: qualinet export ${path} --playwright`,
      });
    const loaded = (await loadFlows({ path, isNamed: true }, { isLenient: lenient, context })) ?? [];
    const [only] = loaded;
    if (only === undefined || loaded.length > 1) {
      throw new UsageError(`there are ${loaded.length} flows in ${path}`, {
        hint: `Import them into a folder, and export one of those: qualinet import ${path} -o FOLDER`,
      });
    }
    const { warnings } = checkFlow(only.flow, null);
    for (const warning of [...only.notes, ...warnings])
      context.stderr.write(`warning: ${printable(warning)}\n`);
    const text = exportPlaywright({ ...only, name: only.name ?? basename(only.file) });
    if (output === undefined) context.stdout.write(text);
    else await writeNewFile(output, text, { cwd: context.cwd, mayReplace: force });
    return exitCode.done;
  },
});
