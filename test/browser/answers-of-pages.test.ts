import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesIn } from '../../src/browser/step/run-files.ts';
import { holdSecrets } from '../../src/flow/local-secrets.ts';
import { Secret } from '../../src/lib/secret.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';
import { tempFolder } from '../support/temp-folder.ts';

const site = browserTests({
  '/': '<p id="a">x</p>',
  '/json': `<p id="a">x</p><script>JSON.stringify = () => 'x{';</script>`,
  '/long': `<p id="a">x</p><script>JSON.stringify = () => '"' + 'x'.repeat(2000000) + '"';</script>`,
  '/title': `<script>Object.defineProperty(document, 'title', { get: () => ({ a: 1 }) });</script>`,
  '/map': `<p id="a">x</p><script>Array.prototype.map = () => null;</script>`,
  '/trim': `<p id="a">x</p><script>String.prototype.slice = () => ({});</script>`,
  '/attribute': `<p id="a">x</p><script>a.getAttribute = () => ({ x: 1 });</script>`,
});
const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const soon = { timeoutMs: 700 };
const senseless =
  'the page gave an answer that makes no sense: it has replaced something that every page has';

describe('a page that replaced what every page has', () => {
  const cases: readonly (readonly [string, ShortStep])[] = [
    ['/json', ['extract', { selector: '#a', subject: 'property', property: 'id', variable: 'v', ...soon }]],
    ['/json', ['assertion', { subject: 'expression', expression: '1', value: 'y', ...soon }]],
    ['/json', ['waitFor', { selector: '#a', properties: { id: 'y' }, ...soon }]],
    ['/json', ['evaluate', { script: 'return 1', variable: 'v', ...soon }]],
    ['/json', ['setVariable', { expression: '({ a: 1 })', variable: 'v', ...soon }]],
    ['/title', ['assertion', { subject: 'title', value: 'x', ...soon }]],
    ['/title', ['extract', { subject: 'title', variable: 'v', ...soon }]],
    ['/title', ['waitFor', { title: 'y', ...soon }]],
    ['/map', ['click', { selector: '#a', ...soon }]],
    ['/map', ['assertion', { selector: '#a', value: 'y', ...soon }]],
    ['/trim', ['waitFor', { selector: '#a', text: 'y', ...soon }]],
    ['/attribute', ['waitFor', { selector: '#a', attributes: { id: 'y' }, ...soon }]],
  ];
  for (const [path, step] of cases) {
    it(`${path} fails a step of the type ${step[0]}, and not the runner`, async () => {
      const { result } = await site.run([open(path), step]);
      expect(result.stepsResult[1]).toMatchObject({ status: 'failed', errorKind: 'internal' });
      expect(result.stepsResult[1]?.error).toContain(senseless);
    });
  }

  it('cannot give more than a step takes', async () => {
    const { result } = await site.run([
      open('/long'),
      ['evaluate', { script: 'return 1', variable: 'v', ...soon }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({ status: 'failed' });
    expect(result.stepsResult[1]?.error).toContain('more than a million characters');
  });
});

describe('a file that cannot be what the flow takes it for', () => {
  it('fails its step, and not the runner', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'file'), 'x');
    const save = async (file: string): Promise<unknown> => {
      const { result } = await site.run([open('/'), ['storageState', { action: 'save', file }]], {
        files: filesIn(folder),
      });
      const { errorKind, error } = result.stepsResult[1] ?? {};
      return [errorKind, error];
    };
    expect(await save('.')).toEqual(['invalid_data', '. is no file']);
    expect(await save('sub')).toEqual(['invalid_data', 'sub is no file']);
    expect(await save('a\0b')).toEqual(['invalid_data', 'the name of a file holds a zero character']);
    expect(await save('file/x')).toEqual([
      'invalid_data',
      expect.stringMatching(/^file\/x: a file stands where a folder is needed/),
    ]);
    expect(await save('x'.repeat(300))).toEqual([
      'invalid_data',
      expect.stringMatching(/: its name is too long \(ENAMETOOLONG\)$/),
    ]);
  });

  it('is told to the owner of the machine as it is read and written', async () => {
    const files = filesIn(await tempFolder());
    const { deeds } = await site.run(
      [
        open('/'),
        ['storageState', { action: 'save', file: 'a/state.json' }],
        ['storageState', { action: 'load', file: 'a/state.json' }],
        ['storageState', { action: 'load', file: '../b' }],
      ],
      { files },
    );
    expect(deeds.filter(({ type }) => type.startsWith('file_'))).toEqual([
      { type: 'file_written', path: 'a/state.json', nodeId: '2' },
      { type: 'file_read', path: 'a/state.json', nodeId: '3' },
    ]);
  });
});

describe('a secret of digits', () => {
  it('does not leave as a number', async () => {
    const secrets = holdSecrets([
      { name: 'PIN', value: new Secret('48213709'), use: ['type'], hosts: null, namesHosts: false },
    ]);
    const { result } = await site.run(
      [
        open('/'),
        ['setVariable', { variable: 'one', expression: '48213709' }],
        ['evaluate', { variable: 'deep', script: 'return { a: [1, 48213709] }' }],
        ['loop', { kind: 'forEach', items: '[48213709]', as: 'each' }],
        ['setVariable', { variable: 'two', expression: 'variables.one' }],
      ],
      { secrets },
    );
    expect(result.status).toBe('passed');
    expect(JSON.stringify(result)).not.toContain('48213709');
    expect(result.stepsResult[1]?.extracted).toEqual({ variable: 'one', value: '<redacted PIN>' });
    expect(result.stepsResult[2]?.extracted?.value).toBe('{"a":[1,<redacted PIN>]}');
  });
});
