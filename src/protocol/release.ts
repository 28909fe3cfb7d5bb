const form = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** True for a version of a release that others can be compared with: three numbers, nothing else. */
export function isRelease(version: string): boolean {
  return (
    form
      .exec(version)
      ?.slice(4)
      .every((part) => part === undefined) === true
  );
}

/** True when `version` came before the release `than`. A pre-release came before its release, and what is no version before everything. */
export function isOlderThan(version: string, than: string): boolean {
  const own = form.exec(version);
  const other = form.exec(than);
  if (own === null || other === null) return own === null;
  for (const part of [1, 2, 3]) {
    const difference = Number(own[part]) - Number(other[part]);
    if (difference !== 0) return difference < 0;
  }
  return own[4] !== undefined && other[4] === undefined;
}
