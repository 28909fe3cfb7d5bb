import { expect, test } from 'vitest';
import { importLines, type Line, nodesOf } from './side-file.ts';

/** What one command becomes. */
const become: readonly [what: string, line: Line, nodes: readonly [string, unknown][]][] = [
  [
    'open with a path begins at the host',
    ['open', '/cart?a=1#b'],
    [['navigate', { url: '{{BASE_URL}}/cart?a=1#b' }]],
  ],
  [
    'open with a relative path begins at the folder of the base',
    ['open', 'cart/1'],
    [['navigate', { url: '{{BASE_URL}}/base/cart/1' }]],
  ],
  ['open without an address goes to the base', ['open', ''], [['navigate', { url: '{{BASE_URL}}/base/' }]]],
  [
    'open with a whole address stays as it is',
    ['open', 'http://other.example:81/x'],
    [['navigate', { url: 'http://other.example:81/x' }]],
  ],
  ['setWindowSize', ['setWindowSize', '1280x800'], [['viewport', { width: 1280, height: 800 }]]],
  ['pause', ['pause', '500'], [['wait', { ms: 500 }]]],
  ['pause with its time as value', ['pause', '', '500'], [['wait', { ms: 500 }]]],
  ['close', ['close'], [['closePage', {}]]],
  ['selectWindow of the first window', ['selectWindow', 'win_ser_local'], [['switchPage', { page: 'main' }]]],
  ['selectWindow by number', ['selectWindow', 'win_ser_1'], [['switchPage', { page: '1' }]]],
  ['selectFrame by index', ['selectFrame', 'index=2'], [['frame', { to: 'child', frame: 2 }]]],
  [
    'selectFrame by a way out and in',
    ['selectFrame', 'index=..\\1'],
    [
      ['frame', { to: 'parent' }],
      ['frame', { to: 'child', frame: 1 }],
    ],
  ],
  ['selectFrame of the parent', ['selectFrame', 'relative=parent'], [['frame', { to: 'parent' }]]],
  ['selectFrame of the page', ['selectFrame', 'relative=top'], [['frame', { to: 'main' }]]],
  [
    'selectFrame by locator',
    ['selectFrame', 'css=#editor'],
    [['frame', { to: 'child', frame: 'css=#editor' }]],
  ],
  ['click', ['click', 'id=buy'], [['click', { selector: 'id=buy' }]]],
  ['click on a bare XPath', ['click', '//a[1]'], [['click', { selector: '//a[1]' }]]],
  [
    'clickAt',
    ['clickAt', 'id=buy', '10.9,-5'],
    [['click', { selector: 'id=buy', position: { x: 10, y: -5 } }]],
  ],
  ['clickAt without a point', ['clickAt', 'id=buy'], [['click', { selector: 'id=buy' }]]],
  ['doubleClick', ['doubleClick', 'id=buy'], [['click', { selector: 'id=buy', count: 2 }]]],
  [
    'doubleClickAt',
    ['doubleClickAt', 'id=buy', '1,2'],
    [['click', { selector: 'id=buy', count: 2, position: { x: 1, y: 2 } }]],
  ],
  ['mouseOver', ['mouseOver', 'id=buy'], [['hover', { selector: 'id=buy' }]]],
  ['mouseOut', ['mouseOut', 'id=buy'], [['mouse', { selector: 'id=buy', action: 'out' }]]],
  [
    'mouseDownAt',
    ['mouseDownAt', 'id=buy', '3,4'],
    [['mouse', { selector: 'id=buy', action: 'down', position: { x: 3, y: 4 } }]],
  ],
  ['mouseUp', ['mouseUp', 'id=buy'], [['mouse', { selector: 'id=buy', action: 'up' }]]],
  [
    'mouseMoveAt',
    ['mouseMoveAt', 'id=buy', '0,0'],
    [['mouse', { selector: 'id=buy', action: 'move', position: { x: 0, y: 0 } }]],
  ],
  [
    'dragAndDropToObject',
    ['dragAndDropToObject', 'id=a', 'id=b'],
    [['drag', { selector: 'id=a', toSelector: 'id=b' }]],
  ],
  ['type', ['type', 'name=q', 'tea'], [['type', { selector: 'name=q', value: 'tea' }]]],
  [
    'type of nothing empties the field',
    ['type', 'name=q', ''],
    [['type', { selector: 'name=q', value: '' }]],
  ],
  ['type of several lines', ['type', 'name=q', 'a\\nb'], [['type', { selector: 'name=q', value: 'a\nb' }]]],
  [
    'type with a line break at the end presses Enter',
    ['type', 'name=q', 'a\\n'],
    [
      ['type', { selector: 'name=q', value: 'a' }],
      ['press', { selector: 'name=q', key: 'Enter' }],
    ],
  ],
  ['type of a backslash', ['type', 'name=q', 'a\\\\nb'], [['type', { selector: 'name=q', value: 'a\\nb' }]]],
  [
    'type of a path that only a file has',
    ['type', 'id=cv', 'C:\\fakepath\\cv.pdf'],
    [['upload', { selector: 'id=cv', files: ['cv.pdf'] }]],
  ],
  [
    'sendKeys of a file into a file field',
    ['sendKeys', "xpath=//input[@type='file']", './img/a.png'],
    [['upload', { selector: "xpath=//input[@type='file']", files: ['a.png'] }]],
  ],
  [
    'type of a path into any other field',
    ['type', 'id=link', '/about/index.html'],
    [['type', { selector: 'id=link', value: '/about/index.html' }]],
  ],
  [
    'sendKeys of text and keys',
    ['sendKeys', 'id=q', 'tea ${KEY_ENTER}x'],
    [
      ['type', { selector: 'id=q', value: 'tea ', how: 'append' }],
      ['press', { selector: 'id=q', key: 'Enter' }],
      ['type', { selector: 'id=q', value: 'x', how: 'append' }],
    ],
  ],
  [
    'sendKeys with a modifier',
    ['sendKeys', 'id=q', '${KEY_CONTROL}a${KEY_CONTROL}${KEY_DELETE}'],
    [
      ['press', { selector: 'id=q', key: 'Control+a' }],
      ['press', { selector: 'id=q', key: 'Delete' }],
    ],
  ],
  [
    'editContent',
    ['editContent', 'id=e', '<b>x</b>'],
    [['type', { selector: 'id=e', value: '<b>x</b>', how: 'html' }]],
  ],
  [
    'select by label',
    ['select', 'id=s', 'label=Two words'],
    [['select', { selector: 'id=s', by: 'label', value: 'Two words' }]],
  ],
  [
    'select by a bare label',
    ['select', 'id=s', 'Two'],
    [['select', { selector: 'id=s', by: 'label', value: 'Two' }]],
  ],
  [
    'select by index',
    ['select', 'id=s', 'index=3'],
    [['select', { selector: 'id=s', by: 'index', value: '3' }]],
  ],
  [
    'addSelection',
    ['addSelection', 'id=s', 'value=2'],
    [['select', { selector: 'id=s', by: 'value', value: '2', how: 'add' }]],
  ],
  [
    'removeSelection',
    ['removeSelection', 'id=s', 'id=o'],
    [['select', { selector: 'id=s', by: 'id', value: 'o', how: 'remove' }]],
  ],
  ['check', ['check', 'id=c'], [['check', { selector: 'id=c' }]]],
  ['uncheck', ['uncheck', 'id=c'], [['check', { selector: 'id=c', checked: false }]]],
  ['submit', ['submit', 'id=f'], [['submit', { selector: 'id=f' }]]],
  [
    'waitForElementVisible with a time',
    ['waitForElementVisible', 'id=x', '5000'],
    [['waitFor', { selector: 'id=x', state: 'visible', timeoutMs: 5000 }]],
  ],
  [
    'waitForElementPresent without a time',
    ['waitForElementPresent', 'id=x'],
    [['waitFor', { selector: 'id=x', state: 'attached' }]],
  ],
  [
    'waitForElementNotEditable',
    ['waitForElementNotEditable', 'id=x', '100'],
    [['waitFor', { selector: 'id=x', state: 'readonly', timeoutMs: 100 }]],
  ],
  [
    'waitForText',
    ['waitForText', 'id=x', 'Hi'],
    [['waitFor', { selector: 'id=x', text: 'Hi', match: 'exact' }]],
  ],
  [
    'waitForPageToLoad of the first IDE',
    ['waitForPageToLoad', '30000'],
    [['waitFor', { load: 'load', timeoutMs: 30000 }]],
  ],
  [
    'clickAndWait of the first IDE',
    ['clickAndWait', 'id=x'],
    [
      ['click', { selector: 'id=x' }],
      ['waitFor', { load: 'load' }],
    ],
  ],
  [
    'assertText',
    ['assertText', 'id=x', 'a\\nb'],
    [['assertion', { selector: 'id=x', subject: 'text', value: 'a\nb' }]],
  ],
  [
    'verifyText is soft',
    ['verifyText', 'id=x', 'a'],
    [['assertion', { selector: 'id=x', subject: 'text', value: 'a', soft: true }]],
  ],
  [
    'verifyNotText',
    ['verifyNotText', 'id=x', 'a'],
    [['assertion', { selector: 'id=x', subject: 'text', value: 'a', negate: true, soft: true }]],
  ],
  [
    'assertText with glob:',
    ['assertText', 'id=x', 'glob:T*(1)?'],
    [
      [
        'assertion',
        { selector: 'id=x', subject: 'text', value: '^T[\\s\\S]*\\(1\\)[\\s\\S]$', match: 'matches' },
      ],
    ],
  ],
  [
    'assertText with regexp:',
    ['assertText', 'id=x', 'regexp:\\d+\\n?'],
    [['assertion', { selector: 'id=x', subject: 'text', value: '\\d+\\n?', match: 'matches' }]],
  ],
  [
    'assertText with exact:',
    ['assertText', 'id=x', 'exact:glob:x'],
    [['assertion', { selector: 'id=x', subject: 'text', value: 'glob:x' }]],
  ],
  ['assertTitle of nothing', ['assertTitle', ''], [['assertion', { subject: 'title', value: '' }]]],
  [
    'assertValue',
    ['assertValue', 'id=x', '1'],
    [['assertion', { selector: 'id=x', subject: 'value', value: '1' }]],
  ],
  [
    'assertNotChecked',
    ['assertNotChecked', 'id=x'],
    [['assertion', { selector: 'id=x', subject: 'checked', negate: true }]],
  ],
  [
    'assertEditable',
    ['assertEditable', 'id=x', 'left over'],
    [['assertion', { selector: 'id=x', subject: 'editable' }]],
  ],
  [
    'assertSelectedLabel',
    ['assertSelectedLabel', 'id=x', 'One'],
    [['assertion', { selector: 'id=x', subject: 'selected', value: 'One' }]],
  ],
  [
    'assertNotSelectedValue',
    ['assertNotSelectedValue', 'id=x', '1'],
    [['assertion', { selector: 'id=x', subject: 'value', value: '1', negate: true }]],
  ],
  [
    'assertElementPresent',
    ['assertElementPresent', 'id=x'],
    [['assertion', { selector: 'id=x', subject: 'present' }]],
  ],
  [
    'verify of a variable',
    ['verify', 'total', '3'],
    [['assertion', { subject: 'variable', variable: 'total', value: '3', soft: true }]],
  ],
  ['store', ['store', 'Tom', 'user'], [['setVariable', { variable: 'user', value: 'Tom' }]]],
  [
    'storeJson',
    ['storeJson', '{"a":[1]}', 'list'],
    [['setVariable', { variable: 'list', expression: 'JSON.parse("{\\"a\\":[1]}")' }]],
  ],
  ['storeText', ['storeText', 'id=x', 'got'], [['extract', { selector: 'id=x', variable: 'got' }]]],
  [
    'storeValue',
    ['storeValue', 'id=x', 'got'],
    [['extract', { selector: 'id=x', subject: 'value', variable: 'got' }]],
  ],
  [
    'storeAttribute of an XPath that has an @ itself',
    ['storeAttribute', 'xpath=//a[@id]@href', 'got'],
    [['extract', { selector: 'xpath=//a[@id]', subject: 'attribute', attribute: 'href', variable: 'got' }]],
  ],
  [
    'storeElementCount',
    ['storeElementCount', 'css=li', 'got'],
    [['extract', { selector: 'css=li', subject: 'count', variable: 'got' }]],
  ],
  ['storeTitle', ['storeTitle', 'got'], [['extract', { subject: 'title', variable: 'got' }]]],
  [
    'executeScript',
    ['executeScript', 'return 1;', 'got'],
    [['evaluate', { script: 'return 1;', variable: 'got' }]],
  ],
  [
    'executeAsyncScript with a promise',
    ['executeAsyncScript', 'return new Promise((r) => r(1))', 'got'],
    [['evaluate', { script: 'return new Promise((r) => r(1))', variable: 'got' }]],
  ],
  [
    'executeAsyncScript whose last statement is the promise',
    ['executeAsyncScript', 'const a = 1; fetch("/x")'],
    [['evaluate', { script: 'const a = 1; return fetch("/x")' }]],
  ],
  [
    'executeAsyncScript with the callback',
    ['executeAsyncScript', 'setTimeout(() => callback(1), 5)', 'got'],
    [['evaluate', { script: 'setTimeout(() => callback(1), 5)', callback: true, variable: 'got' }]],
  ],
  ['runScript', ['runScript', 'window.scrollTo(0,0)'], [['evaluate', { script: 'window.scrollTo(0,0)' }]]],
  ['echo', ['echo', 'hello'], [['log', { message: 'hello' }]]],
];

test.each(become)('%s', (_, line, nodes) => {
  const imported = importLines(line);
  expect(nodesOf(imported)).toEqual(nodes);
  expect(imported.unkept).toEqual([]);
});

test('the other locators of the recording stand behind the one it used, each once', () => {
  const targets = [
    ['id=buy', 'id'],
    ['css=#buy', 'css:finder'],
    ['xpath=//button[3]', 'xpath:position'],
  ];
  const imported = importLines(['click', 'id=buy', '', { targets, fallbackTargets: [['css=#buy', 'css']] }]);
  expect(nodesOf(imported)).toEqual([
    ['click', { selector: 'id=buy', selectors: ['css=#buy', 'xpath=//button[3]'] }],
  ]);
});

test.each([
  'assertElementNotPresent',
  'verifyElementNotPresent',
  'waitForElementNotPresent',
  'waitForElementNotVisible',
  'storeElementCount',
])('%s looks at its own locator only: another may find another element', (command) => {
  const imported = importLines([command, 'id=x', 'n', { targets: [['css=.y', 'css:finder']] }]);
  expect(nodesOf(imported)[0]?.[1]).not.toHaveProperty('selectors');
});

test('a command without a target takes the locators that were recorded beside it, and says so', () => {
  const imported = importLines(['click', '', '', { targets: [['css=.y', 'css:finder']] }]);
  expect(nodesOf(imported)).toEqual([['click', { selector: 'css=.y' }]]);
  expect(imported.notes).toEqual([expect.stringContaining('test "Test", command 1: it has no target')]);
});

test.each<[Line, string]>([
  [['customClick', 'id=a'], 'no such command'],
  [['click', ''], 'names no element'],
  [['click', 'newLocator=a'], 'of no kind that is known'],
  [['open', 'file:///etc/passwd'], 'file: addresses are not opened'],
  [['open', 'javascript:alert(1)'], 'javascript: addresses are not opened'],
  [['sendKeys', 'id=a', '${KEY_WARP}'], 'there is no key KEY_WARP'],
  [['pause', 'long'], 'no number of milliseconds'],
  [['selectWindow', 'title=Cart'], 'no handle'],
  [['setWindowSize', 'big'], 'no size'],
  [['storeText', 'id=a', ''], 'names no variable'],
  [['executeScript', ''], 'has no script'],
  [['storeJson', '{a', 'x'], 'no JSON'],
  [['toString', ''], 'no such command'],
])('%s is told as not kept, and a log step stands in its place', (line, why) => {
  const imported = importLines(['echo', 'before'], line, ['echo', 'after']);
  expect(imported.unkept).toEqual([
    {
      where: 'test "Test", command 2',
      what: line.filter((part) => part !== '').join(' '),
      why: expect.stringContaining(why),
    },
  ]);
  expect(nodesOf(imported)).toEqual([
    ['log', { message: 'before' }],
    ['log', { message: expect.stringContaining('Not kept from test "Test", command 2') }],
    ['log', { message: 'after' }],
  ]);
});

test('what does nothing in the IDE does nothing here, and is told', () => {
  const imported = importLines(
    [''],
    ['//click', 'id=x'],
    ['click', 'id=y', '', { skip: true }],
    ['setWindowSize', ''],
    ['debugger'],
    ['echo', 'on', '', { comment: ' Say it ', isBreakpoint: true }],
  );
  expect(imported.unkept).toEqual([]);
  expect(nodesOf(imported)).toEqual([['log', { message: 'on', label: 'Say it' }]]);
  expect(imported.notes.map((note) => note.replace('test "Test", ', ''))).toEqual([
    'command 1: an empty line',
    'command 2: "//click" is disabled, and passed over',
    'command 3: "click id=y" is to be skipped, and passed over',
    'command 5: debugger is passed over: a run does not stop',
    'command 6: it has a breakpoint, which a run does not stop at',
    'command 4: setWindowSize says no size and is passed over',
  ]);
});

test('setSpeed waits behind every command that follows, until it is 0', () => {
  const imported = importLines(['setSpeed', '200'], ['click', 'id=a'], ['setSpeed', '0'], ['click', 'id=b']);
  expect(nodesOf(imported).map(([type]) => type)).toEqual(['click', 'wait', 'click']);
  expect(imported.notes).toEqual([expect.stringContaining('200 ms')]);
});

test('a click that opens a window names it, and the flow stays where it was', () => {
  const imported = importLines(
    ['storeWindowHandle', 'root'],
    ['click', 'id=a', '', { opensWindow: true, windowHandleName: 'win1', windowTimeout: 2000 }],
    ['selectWindow', 'handle=${win1}'],
    ['selectWindow', 'handle=${root}'],
    ['echo', '${root}'],
  );
  expect(nodesOf(imported)).toEqual([
    ['switchPage', { page: 'current', name: 'root' }],
    ['setVariable', { variable: 'root', value: 'root' }],
    ['click', { selector: 'id=a', opens: 'win1' }],
    ['switchPage', { page: 'win1' }],
    ['switchPage', { page: 'root' }],
    ['log', { message: '{{root}}' }],
  ]);
});

test('a script that opens a window comes back from it', () => {
  const imported = importLines([
    'runScript',
    'open("/x")',
    '',
    { opensWindow: true, windowHandleName: 'main' },
  ]);
  expect(nodesOf(imported)).toEqual([
    ['switchPage', { page: 'current', name: 'before-1' }],
    ['evaluate', { script: 'open("/x")' }],
    ['switchPage', { page: 'latest', name: 'window-main' }],
    ['switchPage', { page: 'before-1' }],
  ]);
});
