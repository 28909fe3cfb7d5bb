import { expect, test } from 'vitest';
import { importLines, type Line, nodesOf } from './side-file.ts';

const click: Line = ['click', 'id=b'];
const clicked = ['click', { selector: 'id=b' }];

test.each<[string, Line[], unknown[]]>([
  [
    'an alert that is expected and accepted',
    [click, ['assertAlert', 'Hi\\nyou'], ['acceptAlert']],
    [clicked, ['dialog', { action: 'accept', message: 'Hi\nyou', match: 'exact' }]],
  ],
  [
    'an alert that is only expected, as the old IDE records it',
    [click, ['assertAlert', 'Hi'], ['click', 'id=c']],
    [
      clicked,
      ['dialog', { action: 'accept', message: 'Hi', match: 'exact' }],
      ['click', { selector: 'id=c' }],
    ],
  ],
  [
    'a confirmation that is dismissed',
    [click, ['assertConfirmation', 'Sure?'], ['dismissConfirmation']],
    [clicked, ['dialog', { action: 'dismiss', message: 'Sure?', match: 'exact' }]],
  ],
  [
    'an answer alone',
    [click, ['webdriverChooseCancelOnVisibleConfirmation']],
    [clicked, ['dialog', { action: 'dismiss' }]],
  ],
  [
    'a prompt that is answered',
    [click, ['assertPrompt', 'Name?'], ['answerPrompt', 'Tom']],
    [clicked, ['dialog', { action: 'accept', text: 'Tom', message: 'Name?', match: 'exact' }]],
  ],
  [
    'a prompt that is accepted as it is',
    [click, ['answerPrompt', '']],
    [clicked, ['dialog', { action: 'accept' }]],
  ],
  [
    'what was armed before and is answered after',
    [
      ['chooseOkOnNextConfirmation'],
      click,
      ['assertConfirmation', 'Sure?'],
      ['webdriverChooseOkOnVisibleConfirmation'],
    ],
    [clicked, ['dialog', { action: 'accept', message: 'Sure?', match: 'exact' }]],
  ],
  [
    'what was armed before and is only expected after',
    [['chooseCancelOnNextConfirmation'], click, ['assertConfirmation', 'Sure?']],
    [clicked, ['dialog', { action: 'dismiss', message: 'Sure?', match: 'exact' }]],
  ],
  [
    'an answer to a prompt that was armed before',
    [['answerOnNextPrompt', 'Tom'], click, ['assertPrompt', 'Name?']],
    [clicked, ['dialog', { action: 'accept', text: 'Tom', message: 'Name?', match: 'exact' }]],
  ],
  [
    'armed for a dialog that nothing tells of',
    [['chooseCancelOnNextConfirmation'], click],
    [['dialog', { action: 'dismiss', kind: 'confirm', required: false }], clicked],
  ],
  [
    'two dialogs of one click',
    [click, ['assertAlert', 'a'], ['acceptAlert'], ['assertAlert', 'b'], ['acceptAlert']],
    [
      clicked,
      ['dialog', { action: 'accept', message: 'a', match: 'exact' }],
      ['dialog', { action: 'accept', message: 'b', match: 'exact' }],
    ],
  ],
  [
    'a wait between stands behind the dialog',
    [click, ['pause', '100'], ['echo', 'x'], ['assertAlert', 'a'], ['acceptAlert']],
    [
      clicked,
      ['dialog', { action: 'accept', message: 'a', match: 'exact' }],
      ['wait', { ms: 100 }],
      ['log', { message: 'x' }],
    ],
  ],
  [
    'the wait of a speed as well',
    [['setSpeed', '50'], click, ['acceptAlert']],
    [clicked, ['dialog', { action: 'accept' }], ['wait', { ms: 50 }]],
  ],
])('%s', (_, lines, nodes) => {
  const imported = importLines(...lines);
  expect(nodesOf(imported)).toEqual(nodes);
  expect(imported.unkept).toEqual([]);
});
