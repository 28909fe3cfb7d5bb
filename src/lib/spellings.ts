import { decodedLayers } from './decoded-layers.ts';

/** Secrets shorter than this are looked for as they are: their encodings would be found in every second text. */
export const shortestEncoded = 6;
/** Shorter texts cannot be told from chance, and are no secrets at all. */
export const shortestSpelling = 4;

/**
 * The ways in which a secret may stand in a text that are not found by undoing escapes: as a page shows it, line by line,
 * hexadecimal, in Base64 wherever it begins within three bytes, and Base64 of its other forms.
 */
export function spellingsOf(value: string): Set<string> {
  const found = new Set<string>([value]);
  if (value.length < shortestEncoded) return found;
  for (const text of lettersOf(value)) found.add(text);
  for (const part of partsOf(value)) {
    const plain = decodedLayers(part).at(-1)?.text ?? part;
    const escaped = [encodeURIComponent(wellFormed(part)), JSON.stringify(part).slice(1, -1)];
    const binary = bytesOf(part).flatMap((bytes) => [...hexOf(bytes), ...base64Of(bytes)]);
    const nested = [...escaped, ...binary].flatMap((text) => base64Of(Buffer.from(text)));
    for (const text of [part, plain, ...escaped, ...binary, ...nested]) {
      // A `+` reads as a space as soon as escapes of any kind are undone.
      for (const read of [text, text.replaceAll('+', ' ')])
        if (read.length >= shortestSpelling) found.add(read);
    }
  }
  return found;
}

/** What pages make of its letters: a style may show them as capitals, and programs put accents together or apart. */
function lettersOf(value: string): string[] {
  return [
    value.toUpperCase(),
    value.toLowerCase(),
    value.replace(/^\p{L}/u, (letter) => letter.toUpperCase()),
    value.normalize('NFC'),
    value.normalize('NFD'),
  ].filter((text) => text.length >= shortestEncoded);
}

/** The whole, each long line of it, and what pages and terminals make of white space and of characters nobody sees. */
function partsOf(value: string): Set<string> {
  const lines = value.split(/\r\n|\r|\n/);
  const parts = [
    value,
    value.trim(),
    value.replaceAll('\u200b', '').trim().replace(/\s+/g, ' '),
    value.replace(/\p{Cc}+/gu, ' '),
    ...(lines.length === 1
      ? []
      : [lines.join('\n'), lines.join(''), ...lines, ...lines.map((line) => line.trim())]),
  ];
  return new Set(parts.filter((part) => part.length >= shortestEncoded));
}

function bytesOf(text: string): Buffer[] {
  const latin1 = Buffer.from(text, 'latin1');
  const isOther = latin1.length !== Buffer.byteLength(text) && latin1.toString('latin1') === text;
  return [Buffer.from(text), ...(isOther ? [latin1] : [])];
}

function hexOf(bytes: Buffer): string[] {
  const hex = bytes.toString('hex');
  return [hex, hex.toUpperCase()];
}

/** In both alphabets, at each of three places, without the characters that depend on what stands around it. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor((whole.length * 8) / 6);
    return [whole.toString('base64').slice(first, end), whole.toString('base64url').slice(first, end)];
  });
}

function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
