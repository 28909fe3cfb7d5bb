import { styleText } from 'node:util';
import { usesColor } from '../../command-line/appearance.ts';
import type { CommandContext } from '../../command-line/command.ts';
import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import type { Check, CheckStatus } from './check.ts';
import type { CheckResult, DoctorReport } from './report.ts';

const marks: Record<CheckStatus, { word: string; style: Parameters<typeof styleText>[0] }> = {
  ok: { word: 'ok  ', style: 'green' },
  warning: { word: 'warn', style: 'yellow' },
  failed: { word: 'FAIL', style: 'red' },
  skipped: { word: 'skip', style: 'dim' },
};

/** Tells a person what checks find, a line each and one for what to do. */
export interface ResultPrinter {
  onResult(result: CheckResult): void;
  end(report: DoctorReport): void;
}

/** Prints on stdout; the same text with and without a terminal, colours aside. */
export function resultPrinter(
  checks: readonly Check[],
  { stdout, env }: Pick<CommandContext, 'stdout' | 'env'>,
): ResultPrinter {
  const width = Math.max(...checks.map(({ title }) => title.length));
  const indent = ' '.repeat(4 + 2 + width + 2);
  const colors = usesColor(stdout, env);
  return {
    onResult({ status, title, detail, fix }) {
      const { word, style } = marks[status];
      const mark = colors ? styleText(style, word, { validateStream: false }) : word;
      stdout.write(`${mark}  ${title.padEnd(width)}  ${printable(detail)}\n`);
      if (fix !== undefined) stdout.write(`${indent}-> ${printable(fix)}\n`);
    },
    end({ counts, durationMs }) {
      const { ok, warning, failed, skipped } = counts;
      stdout.write(
        `\n${ok} ok, ${counted(warning, 'warning')}, ${failed} failed, ${skipped} skipped (${duration(durationMs)})\n`,
      );
    },
  };
}
