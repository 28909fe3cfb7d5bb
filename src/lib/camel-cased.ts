/** The name that an option has in programs: `--allow-host` -> `allowHost`. */
export function camelCased(flag: string): string {
  return flag.replace(/^--/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
