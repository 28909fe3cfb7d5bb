import { lastUpTo } from './last-up-to.ts';

/** A text, or what is left of it when escapes are undone, and where in the original each of its characters came from. */
export interface Layer {
  readonly text: string;
  /** Where the character at `index` begins in the original; `text.length` gives the original's end. */
  startOf(index: number): number;
}

/** Deepest chain of escapes that is undone: a link in a JSON text in a log line is three. */
const maxLayers = 4;

/**
 * The text itself, then the same with one layer of escapes undone after the other until none is left: percent signs and
 * `+` of addresses, backslashes of JSON and scripts, entities of HTML, mixed in any way.
 */
export function decodedLayers(text: string): Layer[] {
  const layers: Layer[] = [{ text, startOf: (index) => index }];
  for (let last = layers[0]; last !== undefined && layers.length <= maxLayers; last = layers.at(-1)) {
    const next = unescaped(last);
    if (next === null) break;
    layers.push(next);
  }
  return layers;
}

/** Where an escape begins at the end of `text` that what follows may complete; its length when there is none. */
export function openEscapeAt(text: string): number {
  const tail = text.slice(-maxEscapeLength);
  const at = openEscape.exec(tail)?.index;
  return at === undefined ? text.length : text.length - tail.length + at;
}

const maxEscapeLength = 20;
const openEscape =
  /(?:(?:%[c-f][0-9a-f](?:%[89ab][0-9a-f]){0,2})(?:%[0-9a-f]?)?|%[0-9a-f]?|\\(?:u\{?[0-9a-f]{0,6}|x[0-9a-f]?)?|&#?\w{0,16})$/i;

function unescaped({ text, startOf }: Layer): Layer | null {
  let at = nextEscape(text, 0);
  if (at === -1) return null;
  const pieces: string[] = [];
  /** For each escape: where it stands in the new text and in the one before. Between them both run alike. */
  const newAt: number[] = [0];
  const oldAt: number[] = [0];
  let copied = 0;
  let length = 0;
  while (at !== -1) {
    const unit = unitAt(text, at);
    if (unit === null) {
      at = nextEscape(text, at + 1);
      continue;
    }
    pieces.push(text.slice(copied, at), unit.text);
    length += at - copied;
    newAt.push(length);
    oldAt.push(at);
    length += unit.text.length;
    copied = at + unit.length;
    newAt.push(length);
    oldAt.push(copied);
    at = nextEscape(text, copied);
  }
  if (newAt.length === 1) return null;
  pieces.push(text.slice(copied));
  return {
    text: pieces.join(''),
    startOf(index) {
      const place = lastUpTo(index, newAt.length - 1, (each) => newAt[each] ?? 0);
      const isInUnit = place % 2 === 1;
      return startOf((oldAt[place] ?? 0) + (isInUnit ? 0 : index - (newAt[place] ?? 0)));
    },
  };
}

const escapeSign = /[%\\&+]/g;

function nextEscape(text: string, from: number): number {
  escapeSign.lastIndex = from;
  return escapeSign.exec(text)?.index ?? -1;
}

interface Unit {
  text: string;
  /** Characters it takes where it is escaped. */
  length: number;
}

/** The escape that begins at `at`; null when none does. */
function unitAt(text: string, at: number): Unit | null {
  switch (text[at]) {
    case '+':
      return { text: ' ', length: 1 };
    case '%':
      return percentUnit(text, at);
    case '\\':
      return backslashUnit(text, at);
    default:
      return entityUnit(text, at);
  }
}

function percentUnit(text: string, at: number): Unit | null {
  const first = byteAt(text, at);
  if (first === null) return null;
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  const bytes = [first];
  for (let index = 1; index <= more; index += 1) {
    const next = byteAt(text, at + 3 * index);
    if (next === null || next >> 6 !== 2) break;
    bytes.push(next);
  }
  const decoded = bytes.length === more + 1 ? Buffer.from(bytes).toString('utf8') : '\u{fffd}';
  // What is no UTF-8 is read as Latin-1, which old scripts escape by.
  return decoded.includes('\u{fffd}')
    ? { text: String.fromCharCode(first), length: 3 }
    : { text: decoded, length: 3 * bytes.length };
}

function byteAt(text: string, at: number): number | null {
  if (text[at] !== '%') return null;
  const digits = text.slice(at + 1, at + 3);
  return /^[0-9a-f]{2}$/i.test(digits) ? Number.parseInt(digits, 16) : null;
}

function backslashUnit(text: string, at: number): Unit | null {
  const next = text[at + 1] ?? '';
  const plain = backslashed[next];
  if (plain !== undefined) return { text: plain, length: 2 };
  const [whole, , braced, four, two] =
    /^\\(u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|x([0-9a-f]{2}))/i.exec(text.slice(at, at + 10)) ?? [];
  const digits = braced ?? four ?? two;
  if (whole === undefined || digits === undefined) return null;
  return unitOf(Number.parseInt(digits, 16), whole.length);
}

const backslashed: Readonly<Record<string, string>> = {
  ...{ n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', 0: '\0' },
  ...{ '"': '"', "'": "'", '`': '`', '\\': '\\', '/': '/' },
};

function entityUnit(text: string, at: number): Unit | null {
  const [whole, hex, decimal, name] =
    /^&(?:#x([0-9a-f]{1,6});|#(\d{1,7});|([a-z]{2,16});)/i.exec(text.slice(at, at + 20)) ?? [];
  if (whole === undefined) return null;
  if (hex !== undefined) return unitOf(Number.parseInt(hex, 16), whole.length);
  if (decimal !== undefined) return unitOf(Number(decimal), whole.length);
  const character = entities.get(name ?? '');
  return character === undefined ? null : { text: character, length: whole.length };
}

function unitOf(codePoint: number, length: number): Unit | null {
  return codePoint > 0x10_ff_ff ? null : { text: String.fromCodePoint(codePoint), length };
}

/** Names that encoders of HTML write: all of ASCII's signs, and the letters of western keyboards. */
const entities: ReadonlyMap<string, string> = new Map(
  (
    'amp& lt< gt> quot" apos\' Tab\t NewLine\n excl! num# dollar$ percnt% lpar( rpar) ast* plus+ comma, period. sol/ ' +
    'colon: semi; equals= quest? commat@ lsqb[ lbrack[ bsol\\ rsqb] rbrack] Hat^ lowbar_ grave` lcub{ lbrace{ verbar| ' +
    'vert| rcub} rbrace} nbsp\u{a0} pound£ sect§ euro€ auml\u{e4} ouml\u{f6} uuml\u{fc} Auml\u{c4} Ouml\u{d6} Uuml\u{dc} ' +
    'szlig\u{df} eacute\u{e9} egrave\u{e8} ecirc\u{ea} agrave\u{e0} aacute\u{e1} acirc\u{e2} ccedil\u{e7} ntilde\u{f1} ' +
    'oacute\u{f3} iacute\u{ed} uacute\u{fa} aring\u{e5} oslash\u{f8} aelig\u{e6}'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, -1), entry.slice(-1)]),
);
