import { describe, expect, it } from 'vitest';
import { parseFlowFile } from '../../src/flow/flow-file.ts';
import { UsageError } from '../../src/lib/errors.ts';

function failure(text: string): UsageError {
  try {
    parseFlowFile(text, 'shop.json');
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a flow file', () => {
  it('gives name, graph and variables as text', () => {
    const text = JSON.stringify({
      name: 'Shop',
      nodes: [{ id: 's', type: 'start', position: { x: 1, y: 2 } }],
      edges: [],
      viewport: { x: 0, y: 0, zoom: 1 },
      variables: { BASE: 'http://a', N: 3, ON: true },
    });
    expect(parseFlowFile(text, 'shop.json')).toEqual({
      name: 'Shop',
      flow: { nodes: [{ id: 's', type: 'start', position: { x: 1, y: 2 } }], edges: [] },
      variables: { BASE: 'http://a', N: '3', ON: 'true' },
    });
  });

  it('may begin with a byte order mark', () => {
    expect(parseFlowFile('\u{feff}{"nodes":[],"edges":[]}', 'shop.json').name).toBeNull();
  });

  it('that is no JSON is refused with what the parser found', () => {
    expect(failure('{"nodes": [}').message).toMatch(/^shop\.json is no valid JSON: Unexpected token '}'/);
  });

  it('that is too large is refused with both sizes', () => {
    expect(failure(JSON.stringify({ nodes: [], edges: [], pad: 'x'.repeat(1024 * 1024) })).message).toMatch(
      /has 104\d+ bytes; a flow may have 1048576/,
    );
  });

  it.each([
    ['[]', '(body)'],
    ['{"edges":[]}', 'nodes'],
    ['{"nodes":[1],"edges":{}}', 'edges'],
    ['{"nodes":[],"edges":[],"variables":{"a b":"c"}}', 'variables.a b'],
    ['{"nodes":[],"edges":[],"variables":{"A":{}}}', 'variables.A'],
  ])('%s is refused naming %s', (text, field) => {
    expect(failure(text).problems.some((problem) => problem.startsWith(`${field}: `))).toBe(true);
  });
});
