import { argumentsCode, isTrue, objectCode, textCode, Unwritable } from './code.ts';
import { expectationCode, expectedCode } from './question-code.ts';
import type { StepSource } from './step-code.ts';

/** The lines of a step that waits until all it names is so. Throws Unwritable for what Playwright waits for in no way. */
export function waitCode({
  fields,
  page,
  element,
}: Pick<StepSource, 'fields' | 'page' | 'element'>): string[] {
  const {
    state,
    count,
    operator = '>=',
    text,
    url,
    title,
    expression,
    load,
    negate,
    match,
    timeoutMs,
  } = fields;
  const timeout = objectCode({ timeout: timeoutMs });
  const lines: string[] = [];
  if (fields['properties'] !== undefined) throw new Unwritable('properties');
  const isTurned = isTrue(negate);
  const asserted = (question: Record<string, unknown>): void => {
    lines.push(expectationCode({ ...question, timeoutMs, ...(isTurned ? { negate } : {}) }, page, element));
  };
  if (load !== undefined)
    lines.push(`await ${page}.waitForLoadState(${argumentsCode(textCode(load), timeout)});`);
  if (url !== undefined) {
    if (isTurned) asserted({ subject: 'url', value: url, match });
    else {
      const expected = match === undefined || match === 'exact' ? textCode(url) : expectedCode(match, url);
      lines.push(`await ${page}.waitForURL(${argumentsCode(expected, timeout)});`);
    }
  }
  if (title !== undefined) asserted({ subject: 'title', value: title, match });
  if (text !== undefined) asserted({ subject: 'text', value: text, match });
  if (count !== undefined) {
    const how = operator === '==' ? 'exact' : operator === '>=' ? 'atLeast' : 'atMost';
    asserted({ subject: 'count', value: count, match: how });
  }
  for (const [attribute, value] of Object.entries(Object(fields['attributes']) as object)) {
    asserted({ subject: 'attribute', attribute, value });
  }
  if (expression !== undefined) {
    const code = textCode(isTurned ? `!(${String(expression)})` : expression);
    lines.push(
      `await ${page}.waitForFunction(${argumentsCode(code, timeout === '' ? '' : `undefined, ${timeout}`)});`,
    );
  }
  const isPresence = state === undefined && lines.length === 0;
  if (state !== undefined || isPresence) {
    const wanted = String(state ?? 'visible');
    const opposite: Record<string, string> = {
      visible: 'hidden',
      hidden: 'visible',
      attached: 'detached',
      detached: 'attached',
    };
    if (opposite[wanted] !== undefined) {
      lines.push(
        `await ${element()}.waitFor(${objectCode({ state: isTurned ? opposite[wanted] : wanted, timeout: timeoutMs })});`,
      );
    } else {
      const [subject, value] = states[wanted] ?? [];
      if (subject === undefined) throw new Unwritable(`the state "${wanted}"`);
      asserted({ subject, value });
    }
  }
  return lines;
}

const states: Readonly<Record<string, readonly [string, boolean]>> = {
  enabled: ['enabled', true],
  disabled: ['enabled', false],
  editable: ['editable', true],
  readonly: ['editable', false],
  checked: ['checked', true],
  unchecked: ['checked', false],
};
