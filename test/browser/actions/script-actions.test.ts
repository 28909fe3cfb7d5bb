import { describe, expect, it } from 'vitest';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';

const site = browserTests({
  '/home': `<h1>Home</h1><p id="out"></p>`,
  '/next': `<h1>Next</h1>`,
});

function open(path: string): ShortStep {
  return ['navigate', { url: site.url(path) }];
}

async function last(step: ShortStep, variables = {}) {
  const { result } = await site.run([open('/home'), step], { variables });
  const [, seen] = result.stepsResult;
  return seen?.extracted?.value ?? seen?.error ?? seen?.logs;
}

describe('a script', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ script: 'document.title = "set"' }, 'Ran the script'],
    [{ script: 'return document.querySelector("h1").textContent', variable: 'X' }, 'Home'],
    [{ script: 'return { a: [1, variables.N], b: undefined }', variable: 'X' }, '{"a":[1,"7"]}'],
    [{ script: 'return new Promise((give) => setTimeout(() => give(3), 50))', variable: 'X' }, '3'],
    [{ script: 'return await Promise.resolve("x") // the end', variable: 'X' }, 'x'],
    [{ script: 'void 0', variable: 'X' }, 'null'],
    [{ script: 'setTimeout(() => callback(variables.N + "!"), 50)', callback: true, variable: 'X' }, '7!'],
    [{ script: 'arguments[arguments.length - 1](2)', callback: true, variable: 'X' }, '2'],
    [{ script: 'const a = {}; a.a = a; return a' }, 'Ran the script'],
    [{ script: 'throw new Error("boom")' }, 'the script gave nothing: it threw Error: boom'],
    [
      { script: 'return JSON.parse("{")', variable: 'X' },
      expect.stringMatching(/it threw SyntaxError/) as string,
    ],
    [{ script: 'throw new Error("boom")', callback: true }, 'the script gave nothing: it threw Error: boom'],
    [
      { script: 'const a = {}; a.a = a; return a', variable: 'X' },
      'the script gave nothing: it gives what JSON cannot hold: Converting circular structure to JSON',
    ],
    [
      { script: 'return document.body', variable: 'X' },
      'the script gave nothing: it gives an element, where a text or a value is needed',
    ],
    [
      { script: 'return (', variable: 'X' },
      expect.stringMatching(/^script: is no JavaScript \(SyntaxError: /) as string,
    ],
    [
      { script: 'return 1', callback: true, timeoutMs: 200 },
      'the script was started, but its callback was not called within 200 ms',
    ],
    [
      { script: 'return new Promise(() => {})', timeoutMs: 200 },
      'the script was started, but it did not come to its end within 200 ms',
    ],
  ])('%j', async (fields, seen) => {
    expect(await last(['evaluate', fields], { N: '7' })).toEqual(seen);
  });

  it('may lead to another page', async () => {
    const { result } = await site.run([
      open('/home'),
      ['evaluate', { script: 'location.href = "/next"; return new Promise(() => {})' }],
      ['assertion', { selector: 'h1', value: 'Next' }],
    ]);
    expect(result.stepsResult.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(result.stepsResult[1]?.logs).toBe('Ran the script, which led to another page');
  });

  it('knows nothing of the runner', async () => {
    expect(
      await last(['evaluate', { script: 'return typeof process + typeof require', variable: 'X' }]),
    ).toBe('undefinedundefined');
  });
});

describe('a variable', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ value: 'a {{N}}' }, 'a 7'],
    [{ expression: 'Number(variables.N) + 1' }, '8'],
    [{ expression: '[...variables.N].map(Number);' }, '[7]'],
    [{ expression: 'Promise.resolve(document.title)' }, 'test'],
    [
      { expression: 'nothing' },
      'the expression gave nothing: it threw ReferenceError: nothing is not defined',
    ],
    [{ expression: 'a b' }, expect.stringMatching(/^expression: is no JavaScript/) as string],
  ])('%j', async (fields, seen) => {
    expect(await last(['setVariable', { variable: 'X', ...fields }], { N: '7' })).toEqual(seen);
  });

  it('whose name means something to JavaScript is a variable like any other', async () => {
    const { result } = await site.run([
      open('/home'),
      ['setVariable', { variable: '__proto__', value: 'x' }],
      ['setVariable', { variable: 'X', expression: 'Object.keys(variables).length >= 0' }],
      ['assertion', { subject: 'variable', variable: 'X', value: 'true' }],
    ]);
    expect(result.status).toBe('passed');
  });
});
