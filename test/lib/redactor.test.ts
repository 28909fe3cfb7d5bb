import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodedLayers } from '../../src/lib/decoded-layers.ts';
import { createRedactor } from '../../src/lib/redactor.ts';

const entities = (digits: (code: number) => string) => (text: string) =>
  [...text].map((character) => `&#${digits(character.codePointAt(0) ?? 0)};`).join('');
const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What programs and pages do to a text on its way into another, each undone by reading it once. */
const escapes: Readonly<Record<string, (text: string) => string>> = {
  encodeURIComponent: encodeURIComponent,
  'encodeURIComponent in lower case': (text) =>
    encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, (unit) => unit.toLowerCase()),
  encodeURI: encodeURI,
  'a form': (text) => new URLSearchParams({ a: text }).toString().slice(2),
  'every byte with a percent sign': (text) => Buffer.from(text).toString('hex').replace(/../g, '%$&'),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  'JSON with escaped slashes': (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  'JSON in ASCII': (text) =>
    [...JSON.stringify(text).slice(1, -1)]
      .flatMap((character) => (character > '~' ? character.split('') : [character]))
      .map((unit) => (unit > '~' ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : unit))
      .join(''),
  'u escapes throughout': (text) =>
    text
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  HTML: (text) => text.replace(/[&<>"']/g, (character) => named[character] ?? character),
  'decimal entities': entities((code) => String(code)),
  'hexadecimal entities': entities((code) => `x${code.toString(16)}`),
};

/** Those that only a look for their result finds. */
const codes: Readonly<Record<string, (text: string) => string>> = {
  hexadecimal: (text) => Buffer.from(text).toString('hex'),
  'hexadecimal in capitals': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  ...Object.fromEntries(
    ['', 'a', 'ab'].flatMap((before) => [
      [
        `Base64 ${before.length} bytes in`,
        (text: string) => Buffer.from(`${before}${text}!`).toString('base64'),
      ],
      [
        `base64url ${before.length} bytes in`,
        (text: string) => Buffer.from(`${before}${text}!`).toString('base64url'),
      ],
    ]),
  ),
};

const awkward = [
  'correct horse battery',
  `q"uo'te\\s and <tags> & ampersands`,
  '100%25 sure%41 %zz',
  'pässwörd-пароль-🔑🔑',
  'first line\nsecond line\nthird',
  '{"key":"va/lue"}',
  '^(a+)+$.*[x]{2,}',
  'QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'a+b c/d=e&f#g?',
  'ends in a backslash\\',
];

/** What of the secret would be told by a text that holds it in this form, and around it. */
function told(encode: (text: string) => string, secret: string): { text: string; bare: string } {
  const bare = encode(secret);
  return { text: `before ${bare} after`, bare };
}

describe('a redactor', () => {
  it.each(awkward)('finds %j in every form', (secret) => {
    const redactor = createRedactor([['PW', secret]]);
    for (const [name, encode] of [...Object.entries(escapes), ...Object.entries(codes)]) {
      const { text } = told(encode, secret);
      const redacted = redactor.text(text);
      expect(redacted, name).toMatch(/^before \S{0,4}<redacted PW>\S{0,4} after$/);
    }
  });

  it('finds what was escaped again and again, in any order, and encoded at the end or the beginning', () => {
    const anyEscapes = fc.array(fc.constantFrom(...Object.values(escapes)), { maxLength: 3 });
    const code = fc.constantFrom(...Object.values(codes));
    const secret = fc.oneof(
      fc.string({ minLength: 6, maxLength: 40, unit: 'binary' }),
      fc.constantFrom(...awkward),
    );
    fc.assert(
      fc.property(secret, anyEscapes, fc.option(code), fc.boolean(), (value, chain, last, isCodeFirst) => {
        fc.pre(value.trim().length >= 6);
        const redactor = createRedactor([['PW', value]]);
        const through = (text: string): string => chain.reduce((before, encode) => encode(before), text);
        const encoded = last === null ? through(value) : isCodeFirst ? through(last(value)) : last(value);
        const redacted = redactor.text(`<${encoded}>`);
        // Base64 keeps a few characters that depend on what stands around the secret.
        const rest = decodedLayers(redacted.replaceAll('<redacted PW>', '')).at(-1)?.text ?? '';
        expect(rest.length).toBeLessThan(12);
        expect(redacted).toContain('<redacted PW>');
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same for a text in parts, wherever it is cut', () => {
    const secret = fc.oneof(
      fc.string({ minLength: 4, maxLength: 12, unit: fc.constantFrom(...'ab%\\&+2') }),
      fc.constantFrom(...awkward),
    );
    const piece = fc.oneof(
      fc.string({ maxLength: 10, unit: fc.constantFrom(...'ab%\\&+2u0…') }),
      fc.tuple(fc.constantFrom(0, 1, 2), fc.constantFrom(...Object.values(escapes), ...Object.values(codes))),
    );
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        fc.array(piece, { maxLength: 8 }),
        fc.array(fc.nat(200), { maxLength: 12 }),
        (secrets, pieces, cuts) => {
          const redactor = createRedactor(secrets.map((value, index) => [`S${index}`, value]));
          const whole = pieces
            .map((each) =>
              typeof each === 'string' ? each : each[1](secrets[each[0] % secrets.length] ?? ''),
            )
            .join('');
          const places = [0, ...cuts.filter((at) => at < whole.length).sort((a, b) => a - b), whole.length];
          const stream = redactor.stream();
          const parts = places.slice(1).map((end, index) => stream.push(whole.slice(places[index], end)));
          expect(parts.join('') + stream.end()).toBe(redactor.text(whole));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('lets a stream through that is no beginning of a secret', () => {
    const stream = createRedactor([['PW', 'hunter2!']]).stream();
    expect(stream.push('a line\n')).toBe('a line\n');
    expect(stream.push('to hunt')).toBe('to ');
    expect(stream.push('ing ')).toBe('hunting ');
    expect(stream.push('hunter2')).toBe('');
    expect(stream.push('!.')).toBe('<redacted PW>.');
    expect(stream.end()).toBe('');
  });

  it('leaves every text alone that holds no secret', () => {
    const redactor = createRedactor([
      ['PW', 'correct horse'],
      ['ÖTHER', 'battery staple'],
    ]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(redactor.text(text)).toBe(text);
      }),
    );
    const line = '{"at":"2026-11-24T15:00:00Z","message":"Typed into #password … \\u0041 %41 &amp;"}';
    expect(redactor.text(line)).toBe(line);
  });

  it('takes out both of two secrets that overlap, and the longer of two that begin alike', () => {
    const redactor = createRedactor([
      ['A', 'abcdefgh'],
      ['B', 'fghijklm'],
      ['C', 'abcdefgh-long'],
    ]);
    expect(redactor.text('x abcdefghijklm y')).toBe('x <redacted A> y');
    expect(redactor.text('x abcdefgh-long y')).toBe('x <redacted C> y');
  });

  it('takes out the beginning of a secret where a text was cut', () => {
    const redactor = createRedactor([['PW', `${'k'.repeat(3)}-${'long '.repeat(800)}`]]);
    expect(redactor.text('got "kkk-long long lo…" in #a')).toBe('got "<redacted PW>…" in #a');
    expect(redactor.text('kkk…')).toBe('kkk…');
  });

  it('is no help to whoever guesses how a secret begins: of many places where a text is cut the last few count', () => {
    const redactor = createRedactor([['PW', 'Zu7w-Kq3mPx9']]);
    const guesses = ['aaaa-aaa', 'Zu7w-Kq3', ...Array.from({ length: 8 }, (_, index) => `guess-${index}`)];
    const page = guesses.map((guess) => `${guess}…`).join(' ');
    expect(redactor.text(page)).toBe(page);
    expect(redactor.text(`${page} "Zu7w-Kq3m…" in #a`)).toBe(`${page} "<redacted PW>…" in #a`);
    expect(redactor.find('Zu7w-Kq3m…'), 'what a page itself has cut').toEqual([]);
  });

  it('finds a secret in the letters that a page makes of it', () => {
    const redactor = createRedactor([['NAME', 'ada.Löwe@x']]);
    for (const shown of ['ADA.LÖWE@X', 'ada.löwe@x', 'Ada.Löwe@x', 'ada.Löwe@x'.normalize('NFD')])
      expect(redactor.text(`[${shown}]`), shown).toBe('[<redacted NAME>]');
  });

  it('finds a secret as a page or a terminal shows it', () => {
    const redactor = createRedactor([['PW', ' two  words\tand\nlines ']]);
    for (const shown of [
      'two words and lines',
      'two  words\tand',
      ' two  words and lines ',
      'two  words\tandlines',
    ]) {
      expect(redactor.text(`[${shown}]`), shown).toMatch(/^\[ ?<redacted PW>/);
    }
  });

  it('looks for a short secret as it is, and in its escapes, but not for its Base64', () => {
    const redactor = createRedactor([['PIN', '4821']]);
    expect(redactor.text('the PIN is 4821; NDgyMQ')).toBe('the PIN is <redacted PIN>; NDgyMQ');
  });

  it('goes through values, keys, errors with stack and cause, and addresses', () => {
    const redactor = createRedactor([['PW', 'hunter2!x']]);
    const cause = new Error('fill("hunter2!x")');
    const error = Object.assign(new TypeError('cannot open http://a/?hunter2%21x', { cause }), {
      problems: ['hunter2!x is wrong'],
    });
    const value = { list: ['hunter2!x', 7, null], 'hunter2!x': new URL('http://a/?p=hunter2!x'), error };
    const redacted = redactor.deep(value);
    expect(redacted.error).toBe(error);
    expect(error).toBeInstanceOf(TypeError);
    expect(
      JSON.stringify([redacted, error.message, error.stack, error.problems, cause.message, cause.stack]),
    ).not.toMatch(/hunter2/);
    expect(value.list[0], 'a plain value stays as it was').toBe('hunter2!x');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(redactor.deep(circle)).toEqual(circle);
  });

  it('takes time that grows with the text only, also for hostile texts and two hundred secrets', () => {
    const secrets = Array.from(
      { length: 200 },
      (_, index) => [`S${index}`, `${'secret'.repeat(3)}-${index}-${'x'.repeat(20)}`] as const,
    );
    const redactor = createRedactor(secrets);
    const millisecondsFor = (text: string): number => {
      const startedAt = performance.now();
      redactor.text(text);
      return performance.now() - startedAt;
    };
    millisecondsFor('warm '.repeat(1_000));
    expect(millisecondsFor('an ordinary line of a log, with nothing in it\n'.repeat(20_000))).toBeLessThan(
      500,
    );
    for (const hostile of ['%25', '\\\\', '&amp;', 'secret', '%', '\\u', '…']) {
      expect(millisecondsFor(hostile.repeat(20_000)), hostile).toBeLessThan(2_000);
    }
  });

  it('takes no longer for a secret that is long, however often a page says that it was cut', () => {
    const redactor = createRedactor([['KEY', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'.repeat(300)]]);
    const startedAt = performance.now();
    for (const page of ['…', 'MIIE…', 'MIIEvQIB…']) {
      redactor.text(page.repeat(200_000));
      redactor.find(page.repeat(200_000));
      redactor.stream().push(page.repeat(200_000));
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
