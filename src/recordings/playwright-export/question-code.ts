import { isTrue, objectCode, patternCode, textCode, Unwritable, variableCode } from './code.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An assertion as `expect`, which waits as the step does. `element` is the code of its locator, asked for where there is one. */
export function expectationCode(fields: Fields, page: string, element: () => string): string {
  const { subject = 'text', value, match = 'exact', negate, soft, timeoutMs } = fields;
  const timeout = objectCode({ timeout: timeoutMs });
  const expect = isTrue(soft) ? 'expect.soft' : 'expect';
  const judge = (subjectCode: string, matcher: string, ...args: string[]): string => {
    const given = [...args, timeout].filter((code) => code !== '').join(', ');
    return `await ${expect}(${subjectCode})${isTrue(negate) ? '.not' : ''}.${matcher}(${given});`;
  };
  const isContained = match === 'contains' && subject === 'text';
  const expected = isContained ? textCode(value) : expectedCode(match, value);
  switch (subject) {
    case 'text':
      return judge(element(), isContained ? 'toContainText' : 'toHaveText', expected);
    case 'value':
      return judge(element(), 'toHaveValue', expected);
    case 'attribute':
      return judge(element(), 'toHaveAttribute', textCode(fields['attribute']), expected);
    case 'property':
      return judge(element(), 'toHaveJSProperty', textCode(fields['property']), expected);
    case 'selected':
      return judge(`${element()}.locator('option:checked')`, 'toHaveText', expected);
    case 'title':
      return judge(page, 'toHaveTitle', expected);
    case 'url':
      return judge(page, 'toHaveURL', expected);
    case 'count':
      if (match === 'exact') return judge(element(), 'toHaveCount', numberCode(value));
      return polled(`() => ${element()}.count()`, match, value, fields);
    case 'variable':
      return `${expect}(${conditionCode(fields, page, element)}).toBe(true);`;
    case 'expression':
      return `await expect.poll(() => ${page}.evaluate(${textCode(fields['expression'])})).${truth(value, negate)};`;
    default: {
      const isWanted = value === undefined || value === true || value === 'true';
      const matcher = yesNo[String(subject)];
      if (matcher === undefined) throw new Unwritable(`the subject "${String(subject)}"`);
      const not = isWanted === isTrue(negate) ? '.not' : '';
      return `await ${expect}(${element()})${not}.${matcher}(${timeout});`;
    }
  }
}

/** A question as a condition of `if` and `while`, which looks once. */
export function conditionCode(fields: Fields, page: string, element: () => string): string {
  const { subject = 'text', value, match = 'exact', negate } = fields;
  const turned = (code: string): string => (isTrue(negate) ? `!(${code})` : code);
  const compared = (got: string): string => {
    switch (match) {
      case 'exact':
        return `${got} === ${textCode(value)}`;
      case 'matches':
        return `${patternCode(String(value))}.test(${got})`;
      case 'contains':
        return `${got}.includes(${textCode(value)})`;
      case 'atLeast':
        return `Number(${got}) >= ${numberCode(value)}`;
      case 'atMost':
        return `Number(${got}) <= ${numberCode(value)}`;
      default:
        return `${got}.${String(match)}(${textCode(value)})`;
    }
  };
  switch (subject) {
    case 'text':
      return turned(compared(`(await ${element()}.innerText()).trim()`));
    case 'value':
      return turned(compared(`(await ${element()}.inputValue())`));
    case 'attribute':
      return turned(compared(`((await ${element()}.getAttribute(${textCode(fields['attribute'])})) ?? '')`));
    case 'count':
      return turned(compared(`String(await ${element()}.count())`));
    case 'title':
      return turned(compared(`(await ${page}.title())`));
    case 'url':
      return turned(compared(`${page}.url()`));
    case 'variable':
      return turned(compared(variableCode(String(fields['variable']))));
    case 'expression':
      return turned(
        `Boolean(await ${page}.evaluate(${textCode(fields['expression'])})) === ${value !== false && value !== 'false'}`,
      );
    default: {
      const method = looks[String(subject)];
      if (method === undefined) throw new Unwritable(`the subject "${String(subject)}"`);
      const isWanted = value === undefined || value === true || value === 'true';
      return isWanted === isTrue(negate) ? `!(await ${element()}.${method})` : `await ${element()}.${method}`;
    }
  }
}

const yesNo: Readonly<Record<string, string>> = {
  visible: 'toBeVisible',
  enabled: 'toBeEnabled',
  checked: 'toBeChecked',
  editable: 'toBeEditable',
  focused: 'toBeFocused',
  present: 'toBeAttached',
};

const looks: Readonly<Record<string, string>> = {
  visible: 'isVisible()',
  enabled: 'isEnabled()',
  checked: 'isChecked()',
  editable: 'isEditable()',
  present: 'count().then((count) => count > 0)',
};

/** A text, or a pattern for what Playwright compares in no other way. */
export function expectedCode(match: unknown, value: unknown): string {
  const escaped = String(value).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (match === 'exact') return textCode(value);
  if (match === 'matches') return patternCode(String(value));
  if (String(value).includes('{{')) throw new Unwritable(`${String(match)} with a variable`);
  if (match === 'contains') return patternCode(escaped);
  if (match === 'startsWith') return patternCode(`^\\s*${escaped}`);
  if (match === 'endsWith') return patternCode(`${escaped}\\s*$`);
  return '';
}

function polled(read: string, match: unknown, value: unknown, { negate, timeoutMs }: Fields): string {
  const matcher =
    match === 'atLeast' ? 'toBeGreaterThanOrEqual' : match === 'atMost' ? 'toBeLessThanOrEqual' : '';
  if (matcher === '') throw new Unwritable(`a count that ${String(match)}`);
  const options = objectCode({ timeout: timeoutMs });
  const not = isTrue(negate) ? '.not' : '';
  return `await expect.poll(${read}${options === '' ? '' : `, ${options}`})${not}.${matcher}(${numberCode(value)});`;
}

function truth(value: unknown, negate: unknown): string {
  const isWanted = (value !== false && value !== 'false') !== isTrue(negate);
  return isWanted ? 'toBeTruthy()' : 'toBeFalsy()';
}

function numberCode(value: unknown): string {
  return String(value).includes('{{') ? `Number(${textCode(value)})` : String(Number(value));
}
