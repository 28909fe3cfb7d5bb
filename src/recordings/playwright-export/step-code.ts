import type { NodeType } from '../../flow/node-types/node-types.ts';
import { argumentsCode, isTrue, objectCode, textCode, Unwritable, valueCode, variableCode } from './code.ts';
import { conditionCode, expectationCode } from './question-code.ts';
import { waitCode } from './wait-code.ts';

/** What a step is written of. */
export interface StepSource {
  readonly type: NodeType;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Code of the page it is in. */
  readonly page: string;
  /** Code of its locator. Throws Unwritable where none of its selectors can be said. */
  element(): string;
  /** Code of the element that something is dragged to. */
  destination(): string;
}

/** The lines of a step that needs nothing of its neighbours. Throws Unwritable for what Playwright has no words for. */
export function stepCode(source: StepSource): string[] {
  const { type, fields, page, element, destination } = source;
  const timeout = fields['timeoutMs'];
  const act = (call: string, ...args: string[]): string[] => [
    `await ${element()}.${call}(${argumentsCode(...args)});`,
  ];
  switch (type) {
    case 'navigate':
      return [
        `await ${page}.goto(${argumentsCode(
          textCode(fields['url']),
          objectCode({ waitUntil: fields['waitUntil'], referer: fields['referer'], timeout }),
        )});`,
      ];
    case 'reload':
    case 'back':
    case 'forward': {
      const method = { reload: 'reload', back: 'goBack', forward: 'goForward' }[type];
      return [`await ${page}.${method}(${objectCode({ waitUntil: fields['waitUntil'], timeout })});`];
    }
    case 'viewport':
      return [`await ${page}.setViewportSize(${windowCode(fields)});`];
    case 'click': {
      const { count, button, modifiers, position, delayMs } = fields;
      const isDouble = Number(count) === 2;
      const clickCount = count === undefined || isDouble ? undefined : Number(count);
      return act(
        isDouble ? 'dblclick' : 'click',
        objectCode({ button, clickCount, modifiers, position, delay: delayMs, timeout }),
      );
    }
    case 'hover':
      return act(
        'hover',
        objectCode({ modifiers: fields['modifiers'], position: fields['position'], timeout }),
      );
    case 'type':
      if (fields['how'] === 'keys') {
        return act(
          'pressSequentially',
          textCode(fields['value']),
          objectCode({ delay: fields['delayMs'], timeout }),
        );
      }
      if (fields['how'] !== undefined && fields['how'] !== 'replace')
        throw new Unwritable(`how "${String(fields['how'])}"`);
      return act('fill', textCode(fields['value']), objectCode({ timeout }));
    case 'press': {
      const isOnElement = fields['selector'] !== undefined || fields['selectors'] !== undefined;
      const options = objectCode({ delay: fields['delayMs'], ...(isOnElement ? { timeout } : {}) });
      const line = `await ${isOnElement ? element() : `${page}.keyboard`}.press(${argumentsCode(textCode(fields['key']), options)});`;
      return Array.from({ length: Number(fields['count'] ?? 1) }, () => line);
    }
    case 'keyDown':
      return [`await ${page}.keyboard.down(${textCode(fields['key'])});`];
    case 'keyUp':
      return [`await ${page}.keyboard.up(${textCode(fields['key'])});`];
    case 'check':
      return act(
        fields['checked'] === false || fields['checked'] === 'false' ? 'uncheck' : 'check',
        objectCode({ timeout }),
      );
    case 'select':
      return act('selectOption', optionCode(fields), objectCode({ timeout }));
    case 'focus':
      return act(isTrue(fields['leave']) ? 'blur' : 'focus', objectCode({ timeout }));
    case 'submit':
      return [`await ${element()}.evaluate((node) => (node.form ?? node.closest('form')).requestSubmit());`];
    case 'upload':
      return act('setInputFiles', filesCode(fields['files']), objectCode({ timeout }));
    case 'drag': {
      if (fields['by'] !== undefined) throw new Unwritable('by pixels');
      const options = { sourcePosition: fields['position'], targetPosition: fields['toPosition'], timeout };
      return act('dragTo', destination(), objectCode(options));
    }
    case 'scroll': {
      const isOnElement = fields['selector'] !== undefined || fields['selectors'] !== undefined;
      const { x = 0, y = 0, to } = fields;
      const isMoved = fields['x'] !== undefined || fields['y'] !== undefined;
      if (isOnElement && !isMoved && to === undefined)
        return act('scrollIntoViewIfNeeded', objectCode({ timeout }));
      const top =
        to === 'top'
          ? '0'
          : to === 'bottom'
            ? isOnElement
              ? 'node.scrollHeight'
              : 'document.body.scrollHeight'
            : valueCode(y);
      return isOnElement
        ? [`await ${element()}.evaluate((node) => node.scrollTo(${valueCode(x)}, ${top}));`]
        : [`await ${page}.evaluate(() => window.scrollTo(${valueCode(x)}, ${top}));`];
    }
    case 'wait':
      return [`await ${page}.waitForTimeout(${valueCode(fields['ms'])});`];
    case 'waitFor':
      return waitCode(source);
    case 'assertion':
      return [expectationCode(fields, page, element)];
    case 'extract':
      return [`${variableCode(String(fields['variable']))} = ${readCode(source)};`];
    case 'screenshot': {
      const isOnElement = fields['selector'] !== undefined || fields['selectors'] !== undefined;
      return isOnElement
        ? act('screenshot')
        : [`await ${page}.screenshot(${objectCode({ fullPage: fields['fullPage'] })});`];
    }
    case 'closePage':
      return [`await ${page}.close();`];
    case 'log':
      return [`console.log(${textCode(fields['message'])});`];
    case 'setVariable': {
      const value =
        fields['expression'] === undefined
          ? textCode(fields['value'])
          : `String(await ${page}.evaluate((variables) => (${scriptCode(fields['expression'])}), variables))`;
      return [`${variableCode(String(fields['variable']))} = ${value};`];
    }
    case 'evaluate': {
      if (fields['callback'] === true) throw new Unwritable('a callback');
      const call = `await ${page}.evaluate((variables) => {\n${scriptCode(fields['script'])}\n}, variables)`;
      return fields['variable'] === undefined
        ? [`${call};`]
        : [`${variableCode(String(fields['variable']))} = String(${call});`];
    }
    case 'cookies':
      if (fields['names'] !== undefined) throw new Unwritable('cookies by their names');
      return fields['action'] === 'clear'
        ? [`await ${page}.context().clearCookies();`]
        : [`await ${page}.context().addCookies(${valueCode(fields['cookies'])});`];
    case 'storageState':
      if (fields['action'] !== 'save') throw new Unwritable('loading a state within a test');
      return [`await ${page}.context().storageState({ path: ${textCode(fields['file'])} });`];
    case 'network':
      if (
        ['downloadBytesPerSecond', 'uploadBytesPerSecond', 'latencyMs'].some(
          (name) => fields[name] !== undefined,
        )
      ) {
        throw new Unwritable('a slow network');
      }
      return [`await ${page}.context().setOffline(${isTrue(fields['offline'])});`];
    case 'mouse': {
      const { action, position } = fields;
      const { x, y } = Object(position) as Record<string, unknown>;
      if (fields['selector'] !== undefined || fields['selectors'] !== undefined)
        throw new Unwritable('a mouse step on an element');
      const moved =
        position === undefined ? [] : [`await ${page}.mouse.move(${valueCode(x)}, ${valueCode(y)});`];
      return action === 'move'
        ? moved
        : [...moved, `await ${page}.mouse.${String(action)}(${objectCode({ button: fields['button'] })});`];
    }
    default:
      throw new Unwritable('there are no words for it');
  }
}

/** The size of a window that is there already. Throws Unwritable for what only a new one can be given. */
function windowCode(fields: StepSource['fields']): string {
  const { width, height, deviceScaleFactor = 1, isMobile, hasTouch, isLandscape: _isLandscape } = fields;
  if (Number(deviceScaleFactor) !== 1 || isTrue(isMobile) || isTrue(hasTouch))
    throw new Unwritable('pixel ratio, touch and mobile layout in another step than the first');
  return objectCode({ width, height });
}

function scriptCode(script: unknown): string {
  if (String(script).includes('{{')) throw new Unwritable('a script with a {{variable}} in it');
  return String(script);
}

function optionCode({ by = 'any', value, values, how }: StepSource['fields']): string {
  if (how !== undefined && how !== 'set') throw new Unwritable(`how "${String(how)}"`);
  if (by === 'id') throw new Unwritable('options by their id');
  const one = (option: unknown): string => {
    if (by === 'any') return textCode(option);
    return by === 'index' ? `{ index: ${Number(option)} }` : `{ ${String(by)}: ${textCode(option)} }`;
  };
  return Array.isArray(values) ? `[${values.map(one).join(', ')}]` : one(value);
}

function filesCode(files: unknown): string {
  const codes = (Array.isArray(files) ? files : [files]).map((file: unknown) => {
    if (typeof file === 'string') return textCode(file);
    const {
      name,
      contentType = 'application/octet-stream',
      text,
      base64,
    } = Object(file) as Record<string, unknown>;
    const content = base64 === undefined ? textCode(text ?? '') : `${textCode(base64)}, 'base64'`;
    return `{ name: ${textCode(name)}, mimeType: ${textCode(contentType)}, buffer: Buffer.from(${content}) }`;
  });
  return codes.length === 1 ? (codes[0] ?? '') : `[${codes.join(', ')}]`;
}

function readCode({ fields, page, element }: StepSource): string {
  const { subject = 'text' } = fields;
  switch (subject) {
    case 'text':
      return `await ${element()}.innerText()`;
    case 'value':
      return `await ${element()}.inputValue()`;
    case 'attribute':
      return `(await ${element()}.getAttribute(${textCode(fields['attribute'])})) ?? ''`;
    case 'title':
      return `await ${page}.title()`;
    case 'url':
      return `${page}.url()`;
    case 'selected':
      return `await ${element()}.locator('option:checked').innerText()`;
    case 'count':
      return `String(await ${element()}.count())`;
    case 'visible':
    case 'enabled':
    case 'checked':
    case 'editable':
      return `String(${conditionCode({ subject }, page, element)})`;
    default:
      throw new Unwritable(`the subject "${String(subject)}"`);
  }
}
