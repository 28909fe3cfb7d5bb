import { Secret } from '../../lib/secret.ts';

/** Where traces of runs go: a collector that speaks OTLP over HTTP. */
export interface TracingConfig {
  /** Where batches are posted. It may hold a password, so it is no text to print. */
  readonly url: Secret;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly serviceName: string;
  /** Further attributes of this bridge, for every span. */
  readonly resource: Readonly<Record<string, string>>;
}

/**
 * Reads the standard variables of OpenTelemetry. `tracing` is null where no exporter is configured, or it is switched off;
 * `problems` are told with those of the rest of the configuration.
 */
export function readTracing(given: Readonly<Record<string, string | undefined>>): {
  tracing: TracingConfig | null;
  problems: string[];
} {
  const off = { tracing: null, problems: [] };
  const exporters = list(given['OTEL_TRACES_EXPORTER']);
  if (given['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || exporters.includes('none')) return off;
  const name = endpointNames.find((variable) => given[variable] !== undefined);
  if (name === undefined) return off;
  const problems: string[] = [];
  const url = endpoint(name, given[name] ?? '');
  if (url === null) problems.push(`${name}: must be an http or https address`);
  if (exporters.length > 0 && !exporters.includes('otlp')) {
    problems.push('OTEL_TRACES_EXPORTER: must be otlp or none');
  }
  const protocol = given['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? given['OTEL_EXPORTER_OTLP_PROTOCOL'];
  // Who takes OTLP over HTTP takes JSON as well as protobuf.
  if (protocol !== undefined && !protocol.startsWith('http/')) {
    problems.push(`OTEL_EXPORTER_OTLP_PROTOCOL: must be http/json, the only one that bridges speak`);
  }
  const pairsOf = (variable: string): Record<string, string> => {
    const pairs = keyValues(given[variable] ?? '');
    if (pairs === null) problems.push(`${variable}: must be like key=value,key=value`);
    return pairs ?? {};
  };
  const headers = {
    ...pairsOf('OTEL_EXPORTER_OTLP_HEADERS'),
    ...pairsOf('OTEL_EXPORTER_OTLP_TRACES_HEADERS'),
  };
  const { 'service.name': ownName, ...resource } = pairsOf('OTEL_RESOURCE_ATTRIBUTES');
  if (url === null || problems.length > 0) return { tracing: null, problems };
  const tracing: TracingConfig = Object.freeze({
    url: new Secret(url),
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, new Secret(value)])),
    serviceName: given['OTEL_SERVICE_NAME'] ?? ownName ?? 'qualinet-bridge',
    resource,
  });
  return { tracing, problems };
}

/** The one for traces alone is taken as it is; the other one is the base of all signals. */
const endpointNames = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

function endpoint(name: (typeof endpointNames)[number], text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  if (name === 'OTEL_EXPORTER_OTLP_ENDPOINT') url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url.href;
}

function list(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Pairs as OpenTelemetry writes them, percent-encoded; null when they are none. */
function keyValues(text: string): Record<string, string> | null {
  try {
    const pairs = list(text).map((pair) => /^([^=]+)=(.*)$/.exec(pair)?.slice(1).map(decoded));
    return pairs.every((pair) => pair !== undefined) ? Object.fromEntries(pairs as [string, string][]) : null;
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  return decodeURIComponent(text.trim());
}
