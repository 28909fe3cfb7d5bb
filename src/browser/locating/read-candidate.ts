/** One part of a way to an element that the page can go by itself. Each part looks within what the one before it found. */
export type InPagePart =
  | { by: 'css' | 'xpath' | 'name'; what: string }
  | { by: 'text' | 'link'; what: string; isWhole: boolean }
  | { by: 'nth'; at: number };

/** A candidate as those understand it that look for it. */
export interface Candidate {
  /** As the flow spells it. */
  written: string;
  /** For Playwright, whose language this is with the engines of selector-engines.ts. */
  playwright: string;
  /** For the page itself; null where only Playwright's engines know what it means. */
  inPage: readonly InPagePart[] | null;
}

/**
 * Reads a candidate: CSS, or anything Playwright understands; besides, the spellings of the Chrome Recorder (`aria/ text/ xpath/
 * pierce/`) and of Selenium (`name= linkText= link= partialLinkText=`), and `label= placeholder= alt= title= testid=`, which match
 * a part of a text, and the whole of it in quotes. Parts are chained by `>>`.
 */
export function readCandidate(written: string): Candidate {
  const parts = chainOf(written).map(readPart);
  // Playwright would take a bracket of `>>>` for a part of what follows.
  const isNative = parts.every(({ isTranslated }) => !isTranslated) && !written.includes('>>>');
  const inPage = parts.map((part) => part.inPage);
  return {
    written,
    playwright: isNative ? written : parts.map(({ playwright }) => playwright).join(' >> '),
    inPage: inPage.every((part) => part !== null) ? inPage : null,
  };
}

interface Part {
  playwright: string;
  inPage: InPagePart | null;
  isTranslated: boolean;
}

/** The parts of a chain. Quotes hide `>>`; an apostrophe within a word is no quote. `>>>` of Puppeteer chains as well. */
function chainOf(written: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quote = '';
  for (let at = 0; at < written.length; at += 1) {
    const sign = written[at] ?? '';
    if (sign === '\\') {
      part += sign + (written[at + 1] ?? '');
      at += 1;
    } else if (quote === '' && written.startsWith('>>', at)) {
      parts.push(part.trim());
      part = '';
      at += /^>+/.exec(written.slice(at, at + 4))?.[0].length ?? 2;
      at -= 1;
    } else {
      if (sign === quote) quote = '';
      else if (quote === '' && /["'`]/.test(sign) && !/[\p{L}\p{N}]$/u.test(part)) quote = sign;
      part += sign;
    }
  }
  return quote === '' || parts.length === 0 ? [...parts, part.trim()] : [written.trim()];
}

function readPart(part: string): Part {
  const recorder = /^(aria|text|xpath|pierce)\/(.*)$/s.exec(part);
  if (recorder !== null) return ofRecorder(recorder[1] ?? '', (recorder[2] ?? '').trim());
  if (/^(?:\.\.|\(*\/)/.test(part)) return native(part, { by: 'xpath', what: part });
  if (/^["']/.test(part)) return native(part, text(part));
  const named = /^([\w:*+-]+)=(.*)$/s.exec(part);
  if (named === null) return native(part, part === '' ? null : { by: 'css', what: part });
  const [, engine = '', body = ''] = named;
  return engineOf(engine, body.trim(), part);
}

function engineOf(engine: string, body: string, part: string): Part {
  switch (engine) {
    case 'css':
    case 'xpath':
      return native(part, body === '' ? null : { by: engine, what: body });
    case 'text':
      return native(part, text(body));
    case 'nth':
      return native(part, /^\d+$/.test(body) ? { by: 'nth', at: Number(body) } : null);
    case 'id':
    case 'name':
      return css(`[${engine}=${quoted(body)}]`);
    case 'testid':
      return css(`[data-testid=${quoted(unquoted(body) ?? body)}]`);
    case 'placeholder':
    case 'alt':
    case 'title': {
      const whole = unquoted(body);
      return css(whole === null ? `[${engine}*=${quoted(body)} i]` : `[${engine}=${quoted(whole)}]`);
    }
    case 'label': {
      const whole = unquoted(body);
      return translated(`internal:label=${JSON.stringify(whole ?? body)}${whole === null ? 'i' : 's'}`, null);
    }
    case 'link':
    case 'linkText':
    case 'partialLinkText': {
      const isWhole = engine !== 'partialLinkText';
      const what = folded(unquoted(body) ?? body);
      const spelling = isWhole ? 'linkText' : 'partialLinkText';
      return translated(`${spelling}=${JSON.stringify(what)}`, { by: 'link', what, isWhole });
    }
    default:
      return native(part, null);
  }
}

function ofRecorder(kind: string, body: string): Part {
  switch (kind) {
    case 'text':
      return translated(`internal:text=${JSON.stringify(body)}i`, {
        by: 'text',
        what: folded(body),
        isWhole: false,
      });
    case 'xpath':
      return translated(`xpath=${body}`, { by: 'xpath', what: body });
    case 'pierce':
      return css(body);
    default:
      return ofAria(body);
  }
}

/** `Name`, `Name[role="button"]`, `[role="form"]`. */
function ofAria(body: string): Part {
  const attributes = new Map<string, string>();
  const rest = body.replace(
    /\[\s*(name|role)\s*=\s*(["'])((?:\\.|(?!\2).)*)\2\s*\]/gs,
    (_whole, attribute: string, _quote: string, value: string) => {
      attributes.set(attribute, value.replace(/\\(.)/gs, '$1'));
      return '';
    },
  );
  const name = folded(attributes.get('name') ?? rest);
  const written = attributes.get('role');
  const role = written === undefined ? undefined : (rolesOfChromium.get(written) ?? written);
  if (role === undefined || !/^[a-z]+$/.test(role))
    return translated(`accessibleName=${JSON.stringify(name)}`, { by: 'name', what: name });
  return translated(`internal:role=${role}${name === '' ? '' : `[name=${JSON.stringify(name)}s]`}`, null);
}

/** Roles that Chromium calls otherwise than the standard. */
const rolesOfChromium: ReadonlyMap<string, string> = new Map([
  ['image', 'img'],
  ['none', 'presentation'],
  ['popUpButton', 'combobox'],
]);

/** `text=`: a part in any case, or in quotes the whole. The page leaves regular expressions and stray quotes to Playwright. */
function text(body: string): InPagePart | null {
  const whole = unquoted(body);
  if (whole !== null) return { by: 'text', what: folded(whole), isWhole: true };
  return body === '' || body.startsWith('/') || /["'`\\]/.test(body)
    ? null
    : { by: 'text', what: folded(body), isWhole: false };
}

function css(selector: string): Part {
  return translated(`css=${selector}`, { by: 'css', what: selector });
}

function native(part: string, inPage: InPagePart | null): Part {
  return { playwright: part, inPage, isTranslated: false };
}

function translated(playwright: string, inPage: InPagePart | null): Part {
  return { playwright, inPage, isTranslated: true };
}

/** What stands within quotes around the whole text; null without them. */
function unquoted(body: string): string | null {
  const inner = /^(["'])((?:\\.|(?!\1)[^\\])*)\1$/s.exec(body)?.[2];
  return inner === undefined ? null : inner.replace(/\\(.)/gs, '$1');
}

/** A text as CSS quotes it. */
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&').replace(/[\n\r\f]/g, (sign) => `\\${sign.charCodeAt(0).toString(16)} `)}"`;
}

function folded(value: string): string {
  return value.replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
}
