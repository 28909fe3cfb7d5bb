import * as z from 'zod';

/** Kinds of reports that `run` writes. */
const reportKinds = ['junit', 'html'] as const;
type ReportKind = (typeof reportKinds)[number];

/** A report to write. */
export interface ReportFile {
  kind: ReportKind;
  path: string;
}

/** `junit=FILE,html=FILE` of a repeatable option. */
export const reportOption = z.array(z.string()).transform((given, context): ReportFile[] =>
  given
    .flatMap((text) => text.split(/,(?=[a-z]+=)/))
    .flatMap((text): ReportFile[] => {
      const [kind, path = ''] = text.split(/=(.*)/s);
      const known = reportKinds.find((one) => one === kind);
      if (known !== undefined && path !== '') return [{ kind: known, path }];
      context.addIssue({ code: 'custom', message: `"${text}" is not junit=FILE or html=FILE` });
      return [];
    }),
);
