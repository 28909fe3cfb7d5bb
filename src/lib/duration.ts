/** A time span for people: `340 ms`, `5.6 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** The same without what nobody needs of a long span: `55 s`, `41 min`, `2 h 5 min`. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.round(ms / 60_000);
  if (seconds < 100) return `${seconds} s`;
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
