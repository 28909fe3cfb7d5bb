import * as z from 'zod';

const checkResultSchema = z.object({
  name: z.string(),
  title: z.string(),
  status: z.enum(['ok', 'warning', 'failed', 'skipped']),
  /** One line, without secrets. */
  detail: z.string(),
  /** What to type or change; always there for a warning and a failure. */
  fix: z.string().optional(),
  durationMs: z.number().int().nonnegative(),
});

/** What became of one check. */
export type CheckResult = z.infer<typeof checkResultSchema>;

const countsSchema = z.object({
  ok: z.number().int(),
  warning: z.number().int(),
  failed: z.number().int(),
  skipped: z.number().int(),
});

/** What `qualinet doctor --json` prints. Fields are added within a version, never taken away. */
export const doctorReportSchema = z.object({
  reportVersion: z.literal(1),
  qualinetVersion: z.string(),
  /** False when any check failed: the exit code is 1 then. */
  isHealthy: z.boolean(),
  counts: countsSchema,
  durationMs: z.number().int().nonnegative(),
  checks: z.array(checkResultSchema),
});

export type DoctorReport = z.infer<typeof doctorReportSchema>;

/** Puts the results together. */
export function reportOf(
  checks: readonly CheckResult[],
  about: Pick<DoctorReport, 'qualinetVersion' | 'durationMs'>,
): DoctorReport {
  const counts = { ok: 0, warning: 0, failed: 0, skipped: 0 };
  for (const { status } of checks) counts[status] += 1;
  return { reportVersion: 1, ...about, isHealthy: counts.failed === 0, counts, checks: [...checks] };
}
