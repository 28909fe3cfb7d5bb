import { candidatesOf, type Target } from '../../flow/step.ts';
import { argumentsCode, objectCode, textCode, Unwritable } from './code.ts';

/** The locator of a step, behind its page: the first of its selectors that Playwright has words for. Throws Unwritable for none. */
export function locatorCode(page: string, target: Target, frame: readonly unknown[] = []): string {
  const frames = frame.map((step) =>
    typeof step === 'number'
      ? `.locator('iframe, frame').nth(${step}).contentFrame()`
      : `${selectorCode(String(step))}.contentFrame()`,
  );
  const faults: string[] = [];
  for (const candidate of candidatesOf(target)) {
    try {
      return page + frames.join('') + selectorCode(candidate);
    } catch (error) {
      if (!(error instanceof Unwritable)) throw error;
      faults.push(error.message);
    }
  }
  throw new Unwritable(faults.join('; ') || 'a step without a selector');
}

/** One selector as calls. Parts are divided where no quotes are; otherwise Playwright gets the whole. */
function selectorCode(selector: string): string {
  const parts = selector.split(/\s*>>\s*/);
  const isDivided = parts.every((part) => (part.match(/(?<!\\)"/g) ?? []).length % 2 === 0);
  return isDivided ? parts.map(partCode).join('') : `.locator(${textCode(selector)})`;
}

function partCode(part: string): string {
  const [, engine = '', body = ''] = /^([a-zA-Z:-]+)[=/](.*)$/s.exec(part) ?? [];
  const isSlash = part[engine.length] === '/';
  if (isSlash) return recorderCode(engine, body, part);
  switch (engine) {
    case 'role':
      return roleCode(body) ?? `.locator(${textCode(part)})`;
    case 'text':
      return body.startsWith('/') ? `.locator(${textCode(part)})` : `.getByText(${wholeOrPart(body)})`;
    case 'label':
      return `.getByLabel(${wholeOrPart(body)})`;
    case 'placeholder':
      return `.getByPlaceholder(${wholeOrPart(body)})`;
    case 'alt':
      return `.getByAltText(${wholeOrPart(body)})`;
    case 'title':
      return `.getByTitle(${wholeOrPart(body)})`;
    case 'testid':
      return `.getByTestId(${textCode(unquoted(body) ?? body)})`;
    case 'id':
    case 'name':
      return `.locator(${textCode(`[${engine}="${body}"]`)})`;
    case 'css':
      return `.locator(${textCode(body)})`;
    case 'link':
    case 'linkText':
      return `.getByRole('link', { name: ${textCode(body)}, exact: true })`;
    case 'partialLinkText':
      return `.getByRole('link', { name: ${textCode(body)} })`;
    case 'nth':
      return body === '0' ? '.first()' : body === '-1' ? '.last()' : `.nth(${Number(body)})`;
    case 'internal:has-text': {
      const text = unquoted(body.slice(0, -1));
      if (text !== null && body.endsWith('i')) return `.filter({ hasText: ${textCode(text)} })`;
      break;
    }
  }
  return `.locator(${textCode(part)})`;
}

function recorderCode(engine: string, body: string, part: string): string {
  switch (engine) {
    case 'text':
      return `.getByText(${textCode(body)})`;
    case 'xpath':
      return `.locator(${textCode(`xpath=${body}`)})`;
    case 'pierce':
      return `.locator(${textCode(body)})`;
    case 'aria': {
      const [, name = '', role] = /^(.*?)(?:\[role=["'](\w+)["']\])$/s.exec(body) ?? [];
      if (role === undefined)
        throw new Unwritable(`the selector ${part}: Playwright finds names by their role only`);
      return `.getByRole(${argumentsCode(textCode(role), name === '' ? '' : objectCode({ name, exact: true }))})`;
    }
    default:
      return `.locator(${textCode(part)})`;
  }
}

/** `button[name*="Buy"i][level=2]`; null for attributes that are spelled otherwise. */
function roleCode(body: string): string | null {
  const [, role = '', attributes = ''] = /^(\w+)(.*)$/s.exec(body) ?? [];
  const options: Record<string, unknown> = {};
  const rest = attributes.replaceAll(
    /\[([\w-]+)(\*?=)(?:("(?:\\.|[^"\\])*")([is]?)|(true|false|\d+))\]/g,
    (whole, attribute: string, operator: string, text: string | undefined, flag: string, word: string) => {
      if (attribute === 'name' && text !== undefined) {
        // Only these two are what getByRole does.
        if (operator === '*=' && flag !== 'i') return whole;
        if (operator === '=' && flag === 'i') return whole;
        options['name'] = unquoted(text);
        if (operator === '=') options['exact'] = true;
        return '';
      }
      if (word === undefined) return whole;
      options[attribute === 'include-hidden' ? 'includeHidden' : attribute] = JSON.parse(word);
      return '';
    },
  );
  return rest === '' && role !== ''
    ? `.getByRole(${argumentsCode(textCode(role), objectCode(options))})`
    : null;
}

function wholeOrPart(body: string): string {
  const whole = unquoted(body);
  return whole === null ? textCode(body) : `${textCode(whole)}, { exact: true }`;
}

function unquoted(body: string): string | null {
  const inner = /^(["'])((?:\\.|(?!\1)[^\\])*)\1$/s.exec(body)?.[2];
  return inner === undefined ? null : inner.replaceAll(/\\(.)/gs, '$1');
}
