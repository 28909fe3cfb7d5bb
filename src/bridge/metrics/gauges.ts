/** A gauge as it is now, with a sample for each set of labels. */
export interface GaugeReading {
  /** `qualinet_…`, with its unit where it has one. */
  name: string;
  help: string;
  samples: readonly GaugeSample[];
}

export interface GaugeSample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** Reads gauges when somebody looks at /metrics, at most once a second. */
export type GaugeSource = () => Promise<readonly GaugeReading[]>;
