/** A number of bytes for people: `64 MiB`, `1.5 GiB`. */
export function byteText(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return mib < 1024 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}
