import { describe, expect, it } from 'vitest';
import { candidatesOf, readStep, timeoutOf, urlFaults } from '../../src/flow/step.ts';
import { referencedVariables, substitute } from '../../src/flow/variables.ts';

describe('variables', () => {
  it('are replaced in every string, however nested', () => {
    const data = { url: '{{A}}/{{ B }}', selectors: ['#{{A}}', { deep: ['{{B}}{{B}}'] }], n: 3, none: null };
    expect(substitute(data, { A: 'x', B: 'y' })).toEqual({
      url: 'x/y',
      selectors: ['#x', { deep: ['yy'] }],
      n: 3,
      none: null,
    });
  });

  it('are not replaced a second time inside what a variable holds', () => {
    expect(substitute('{{A}}', { A: '{{B}}', B: 'secret' })).toBe('{{B}}');
  });

  it('stay as they stand when unknown, as does what only looks like one', () => {
    expect(substitute('{{A}} {{}} {{a b}} {A} {{{A}}}', { B: 'x' })).toBe('{{A}} {{}} {{a b}} {A} {{{A}}}');
  });

  it('are listed once each', () => {
    expect(referencedVariables({ a: '{{X}} {{Y}}', b: ['{{X}}'] })).toEqual(['X', 'Y']);
  });

  it('do not hang or overflow on data nested without end', () => {
    let deep: unknown = '{{A}}';
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    expect(() => substitute(deep, { A: 'x' })).not.toThrow();
  });
});

describe('a step', () => {
  it('has its selectors in priority order, each once', () => {
    expect(candidatesOf({ selector: '#a', selectors: ['.b', '#a', '.c'] })).toEqual(['#a', '.b', '.c']);
    expect(candidatesOf({ selectors: ['.b'] })).toEqual(['.b']);
  });

  it('is refused when a variable holds what its field does not take', () => {
    const step = { nodeId: 'n', type: 'navigate', fields: { url: '{{URL}}' } } as const;
    expect(readStep(step, { URL: 'file:///etc/passwd' })).toEqual({
      faults: ['url: file: addresses are not opened, only http: and https:'],
    });
    expect(readStep(step, { URL: 'http://127.0.0.1/' })).toEqual({
      step: { type: 'navigate', data: { url: 'http://127.0.0.1/' } },
    });
  });

  it.each([
    ['navigate', { url: '{{U}}' }, 'url: "{{U}}" has no scheme; write https://{{U}}'],
    ['wait', { ms: '{{U}}' }, 'ms: must be a whole number of milliseconds'],
    ['click', { selector: '#a', timeoutMs: '{{U}}' }, 'timeoutMs: must be a whole number of milliseconds'],
  ] as const)('of type %s is refused when a variable holds braces again', (type, fields, fault) => {
    expect(readStep({ nodeId: 'n', type, fields }, { U: '{{U}}' })).toEqual({ faults: [fault] });
  });

  it('has its own time budget or that of its type', () => {
    const read = (fields: Record<string, unknown>) => {
      const result = readStep({ nodeId: 'n', type: 'click', fields: { selector: '#a', ...fields } }, {});
      if ('faults' in result) throw new Error(result.faults.join());
      return timeoutOf(result.step);
    };
    expect([read({}), read({ timeoutMs: 250 }), read({ timeoutMs: '300' })]).toEqual([10_000, 250, 300]);
  });

  it.each([
    ['javascript:alert(1)', 'javascript: addresses are not opened'],
    ['view-source:http://a', 'view-source: addresses are not opened'],
    ['data:text/html,x', 'data: addresses are not opened'],
    ['chrome://version', 'chrome: addresses are not opened'],
    [' FILE:///etc', 'file: addresses are not opened'],
    ['/login', 'has no scheme'],
    ['http://[bad', 'is no valid address'],
  ])('does not go to %s', (url, fault) => {
    expect(urlFaults(url)[0]).toContain(fault);
  });

  it.each(['http://a', 'https://a/b?c#d', 'about:blank', '{{BASE}}/x', 'http://{{HOST}}/'])(
    'may go to %s',
    (url) => {
      expect(urlFaults(url)).toEqual([]);
    },
  );
});
