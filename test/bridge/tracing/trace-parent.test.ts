import { describe, expect, it } from 'vitest';
import { parseTraceParent } from '../../../src/bridge/tracing/trace-parent.ts';

const traceId = 'af7651916cd43dd8448eb211c80319c0';
const spanId = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it('names a trace, a span and whether it is recorded', () => {
    expect(parseTraceParent(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId, flags: 1 });
    expect(parseTraceParent(`00-${traceId}-${spanId}-00`)).toEqual({ traceId, spanId, flags: 0 });
  });

  it('of a later version may have more at its end', () => {
    expect(parseTraceParent(`cc-${traceId}-${spanId}-01-what`)).toEqual({ traceId, spanId, flags: 1 });
  });

  it.each([
    ['nothing', ''],
    ['capital letters', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['the version that is none', `ff-${traceId}-${spanId}-01`],
    ['more than its version has', `00-${traceId}-${spanId}-01-what`],
    ['two of them', `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
  ])('of %s is none', (_, text) => {
    expect(parseTraceParent(text)).toBeNull();
  });
});
