import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { chain } from '../support/chain.ts';
import { flowSchema } from '../support/flow-schema.ts';

const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(flowSchema());
const flows = join(import.meta.dirname, '../../src/demo/flows');

function accepts(type: string, data: Record<string, unknown>): boolean {
  return validate(chain({ id: 'a', type, data }));
}

describe('the JSON Schema of flows', () => {
  it.each(readdirSync(flows))('takes the flow %s of the demo', (name) => {
    expect(
      validate(JSON.parse(readFileSync(join(flows, name), 'utf8'))),
      JSON.stringify(validate.errors),
    ).toBe(true);
  });

  it.each<[string, Record<string, unknown>]>([
    ['click', { selector: '#go', selectors: ['text=Go', ['#host', 'button']], count: 2, label: 'Go' }],
    ['Click', { selector: '#go', timeout: '500', timeoutMs: '{{TIME}}' }],
    ['doubleclick', { selector: '#go' }],
    ['wait', { ms: '200' }],
    ['extract', { selector: '#a', saveAs: 'X' }],
    ['upload', { selector: '#file', files: ['a.txt', { name: 'b.txt', text: 'b' }] }],
  ])('takes %s with %j', (type, data) => {
    expect(accepts(type, data), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each<[string, Record<string, unknown>]>([
    ['clack', {}],
    ['click', { selecter: '#go' }],
    ['click', { selector: '#go', button: 'up' }],
    ['wait', { ms: 'soon' }],
    ['wait', {}],
    ['viewport', { width: 1.5, height: 100 }],
    ['upload', { selector: '#file', files: [{ name: 'b.txt', content: 'b' }] }],
  ])('refuses %s with %j', (type, data) => {
    expect(accepts(type, data)).toBe(false);
  });
});
