/** One sample of a scrape. */
interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** A scrape: its samples, and the type of every metric. */
export interface Scrape {
  samples: Sample[];
  types: Map<string, string>;
  /** Value of the one sample with exactly these labels; 0 when there is none, as for a counter that has not begun. */
  value(name: string, labels?: Record<string, string>): number;
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const helpLine = new RegExp(`^# HELP (${metricName}) \\S.*$`);
const typeLine = new RegExp(`^# TYPE (${metricName}) (counter|gauge|histogram|summary)$`);
// A value is what Go's ParseFloat takes, which does not mind the case of NaN.
const sampleLine = new RegExp(`^(${metricName})(?:\\{(.*)\\})? (-?[0-9.eE+-]+|[Nn]a[Nn]|[+-]Inf)$`);
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/**
 * Reads Prometheus' text format 0.0.4, and throws for whatever a scraper would refuse or a reader would trip over: a line of
 * no known kind, a sample before HELP and TYPE of its metric, a metric or a sample that comes twice, buckets that shrink.
 */
export function parseExposition(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const samples: Sample[] = [];
  const helps = new Set<string>();
  const types = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line === '') continue;
    const [, help] = helpLine.exec(line) ?? [];
    const [, typed, type] = typeLine.exec(line) ?? [];
    if (help !== undefined) {
      if (helps.has(help)) fail('a metric comes twice');
      helps.add(help);
    } else if (typed !== undefined && type !== undefined) {
      if (!helps.has(typed) || types.has(typed)) fail('TYPE without HELP, or twice');
      types.set(typed, type);
    } else {
      const [, name, labelText = '', value] = sampleLine.exec(line) ?? fail('no line of the format');
      if (name === undefined || value === undefined) throw new Error(line);
      const family = [...types].find(
        ([known, of]) =>
          name === known ||
          (of === 'histogram' && [`${known}_bucket`, `${known}_sum`, `${known}_count`].includes(name)),
      );
      if (family === undefined) fail('a sample of no metric');
      const sample = { name, labels: labelsOf(labelText, fail), value: numberOf(value) };
      const key = keyOf(sample);
      if (seen.has(key)) fail('a sample comes twice');
      seen.add(key);
      samples.push(sample);
    }
  }
  requireGrowingBuckets(samples);
  return {
    samples,
    types,
    value(name, labels = {}) {
      const key = keyOf({ name, labels });
      return samples.find((sample) => keyOf(sample) === key)?.value ?? 0;
    },
  };
}

function labelsOf(text: string, fail: (why: string) => never): Record<string, string> {
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const [, name = '', value = ''] = label.exec(text) ?? fail('labels that cannot be read');
    if (name in labels) fail('a label comes twice');
    labels[name] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
}

function numberOf(text: string): number {
  return text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

function keyOf({ name, labels }: Pick<Sample, 'name' | 'labels'>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}

function requireGrowingBuckets(samples: readonly Sample[]): void {
  const latest = new Map<string, Sample>();
  for (const sample of samples) {
    if (!sample.name.endsWith('_bucket')) continue;
    const { le: _, ...labels } = sample.labels;
    const key = keyOf({ name: sample.name, labels });
    if ((latest.get(key)?.value ?? 0) > sample.value) throw new Error(`the buckets of ${key} shrink`);
    latest.set(key, sample);
  }
  for (const [key, { labels }] of latest)
    if (labels['le'] !== '+Inf') throw new Error(`${key} has no last bucket`);
}
