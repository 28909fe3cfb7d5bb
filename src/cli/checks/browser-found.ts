import { type Check, ok, warning } from './check.ts';

export const browserFound: Check = {
  name: 'browser',
  title: 'Browser',
  needs: [],
  fix: 'qualinet install-browser',
  limitMs: 30_000,
  async run({ findBrowser }) {
    // None, or a named one that cannot be used, is thrown with what to type.
    const { path, kind, version, why, warning: better } = await findBrowser();
    const text = `${kind}${version === undefined ? '' : ` ${version}`} at ${path} (${why})`;
    return better === undefined ? ok(text) : warning(`${text}; ${better}`, browserFound.fix);
  },
};
