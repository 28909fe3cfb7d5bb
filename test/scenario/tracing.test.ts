import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCollector } from '../support/otlp-collector.ts';
import { copyBridgeProgram, startBridgeProcess } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'open' }],
};

/** Lets a bridge, from its bundle alone, end one run, and gives the code it loaded for that. */
async function codeLoaded(more: Record<string, string> = {}): Promise<string> {
  const folder = await tempFolder();
  const bridge = await startBridgeProcess(
    join(folder, 'data'),
    // Node itself tells there which files it loaded.
    { NODE_V8_COVERAGE: join(folder, 'loaded'), ...more },
    await copyBridgeProgram(join(folder, 'app')),
  );
  const runId = await bridge.submit(flow);
  await bridge.operator('POST', `/v1/runs/${runId}/cancel`, {});
  await bridge.program.stop();
  expect(bridge.program.process.exitCode, bridge.program.said()).toBe(0);
  const reports = await readdir(join(folder, 'loaded'));
  const urls = await Promise.all(
    reports.map(async (report) => {
      const { result } = JSON.parse(await readFile(join(folder, 'loaded', report), 'utf8')) as {
        result: { url: string }[];
      };
      return result.map(({ url }) => url).filter((url) => url.includes('/dist/bridge/'));
    }),
  );
  expect(urls.flat().length).toBeGreaterThan(2);
  return (await Promise.all(urls.flat().map((url) => readFile(fileURLToPath(url), 'utf8')))).join('\n');
}

// The interface alone (@opentelemetry/api) comes with the library for metrics.
const traces = /OTLPTraceExporter|BasicTracerProvider|BatchSpanProcessor/;

describe('a bridge process', () => {
  it('delivers what it has traced before it ends, from its bundle alone', async () => {
    const collector = await startCollector();
    onTestFinished(() => collector.close());
    const code = await codeLoaded({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_SERVICE_NAME: 'runs',
    });
    expect(code).toMatch(traces);
    expect(collector.spans.map(({ name }) => name).sort()).toEqual(['qualinet.queued', 'qualinet.run']);
    expect(collector.spans[0]?.resource).toMatchObject({ 'service.name': 'runs' });
  });

  it('loads nothing of OpenTelemetry unless traces are asked for', async () => {
    expect(await codeLoaded()).not.toMatch(traces);
  });
});
