import type { browserTests, ShortStep } from './flow-in-browser.ts';

type Tests = ReturnType<typeof browserTests>;

/** Steps and questions that tests of actions are written in, against the pages of one file. */
export function actionSteps(site: Pick<Tests, 'run' | 'url'>) {
  const shows = (selector: string, value: string): ShortStep => [
    'assertion',
    { selector, value, timeoutMs: 2_000 },
  ];
  return {
    open: (path: string): ShortStep => ['navigate', { url: site.url(path) }],
    shows,
    /** The page wrote into its #heard what it heard. */
    hears: (value: string): ShortStep => shows('#heard', value),
    /** The errors of all steps. */
    errors: async (steps: ShortStep[]) =>
      (await site.run(steps)).result.stepsResult
        .map(({ error }) => error)
        .filter((error) => error !== undefined),
  };
}
