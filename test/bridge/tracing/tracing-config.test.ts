import { describe, expect, it } from 'vitest';
import { readBridgeConfig } from '../../../src/bridge/config.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const tracingOf = (env: Record<string, string>) => readBridgeConfig(env).tracing;

describe('the configuration of traces', () => {
  it('is off unless an endpoint is given, or where it is switched off', () => {
    for (const env of [
      {},
      { OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' },
      { ...endpoint, OTEL_SDK_DISABLED: 'true' },
      { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    ]) {
      expect(tracingOf(env)).toBeNull();
    }
  });

  it('takes the endpoint of all signals as a base, and the one of traces as it is', () => {
    const urlOf = (env: Record<string, string>) => tracingOf(env)?.url.reveal();
    expect(urlOf(endpoint)).toBe('http://collector:4318/v1/traces');
    expect(urlOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://x.test/otlp/' })).toBe(
      'https://x.test/otlp/v1/traces',
    );
    expect(urlOf({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://x.test/mine' })).toBe(
      'https://x.test/mine',
    );
  });

  it('reads headers and attributes as pairs, percent-encoded, and prints no header', () => {
    const tracing = tracingOf({
      ...endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=one, x=a%2Cb',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=two=2',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=mine,deployment.environment=test',
    });
    const headers = Object.entries(tracing?.headers ?? {}).map(([name, value]) => [name, value.reveal()]);
    expect(Object.fromEntries(headers)).toEqual({ 'api-key': 'two=2', x: 'a,b' });
    expect(tracing).toMatchObject({ serviceName: 'mine', resource: { 'deployment.environment': 'test' } });
    expect(JSON.stringify(tracing)).not.toContain('two');
    expect(
      tracingOf({ ...endpoint, OTEL_SERVICE_NAME: 'runs', OTEL_RESOURCE_ATTRIBUTES: 'service.name=no' }),
    ).toMatchObject({ serviceName: 'runs' });
    expect(tracingOf(endpoint)).toMatchObject({ serviceName: 'qualinet-bridge' });
  });

  it('names everything that is wrong at once', () => {
    const env = {
      PORT: 'many',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'a secret that is no pair',
      OTEL_RESOURCE_ATTRIBUTES: 'a=%zz',
      OTEL_TRACES_EXPORTER: 'zipkin',
    };
    let problems: readonly string[] = [];
    try {
      readBridgeConfig(env);
    } catch (error) {
      problems = (error as { problems: readonly string[] }).problems;
    }
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      ...['PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
      ...['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_RESOURCE_ATTRIBUTES'],
    ]);
    expect(problems.join()).not.toContain('secret');
  });
});
