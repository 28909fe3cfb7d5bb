import { expect, test } from 'vitest';
import { importSideProject } from '../../../src/recordings/selenium-ide/import-side-project.ts';
import { browserTests } from '../../support/flow-in-browser.ts';
import { type Line, sideFile } from './side-file.ts';

const site = browserTests({
  '/p.html': `<input id=q value=ab><p id=t style="color: blue">Hello <b>you</b></p>
<button id=c onclick="document.title = confirm('Sure?') ? 'ok' : 'cancel'">c</button>
<button id=p onclick="document.title = prompt('Name?') ?? 'none'">p</button><button id=a onclick="alert('one');alert('two');document.title='both'">a</button>`,
});
const cases: Record<string, Line[]> = {
  control: [
    ['executeScript', 'return 1', 'check'],
    ['while', '${check} < 3'],
    ['executeScript', 'return ${check} + 1', 'check'],
    ['end'],
    ['assert', 'check', '3'],
    ['do'],
    ['executeScript', 'return ${check} + 1;', 'check'],
    ['repeatIf', '${check} < 6', '10'],
    ['assert', 'check', '6'],
    ['times', '2'],
    ['if', '${check} === 6'],
    ['executeScript', 'return ${check} + 10', 'check'],
    ['elseIf', '${check} == 16'],
    ['executeScript', 'return "a${check}b"', 'check'],
    ['else'],
    ['end'],
    ['end'],
    ['assert', 'check', 'a16b'],
    ['executeScript', 'return [{n:1},{n:2}]', 'list'],
    ['store', '0', 'sum'],
    ['forEach', 'list', 'item'],
    ['executeScript', 'return Number(${sum}) + ${item}.n', 'sum'],
    ['end'],
    ['assert', 'sum', '3'],
    ['storeJson', '{"x":[3]}', 'j'],
    ['executeScript', 'return ${j}.x[0] + 1', 'y'],
    ['assert', 'y', '4'],
    ['executeAsyncScript', 'return new Promise((r) => setTimeout(() => r("late"), 50))', 'as'],
    ['assert', 'as', 'late'],
    ['executeScript', 'true', ''],
    ['executeScript', 'return true', 'b'],
    ['assert', 'b', 'true'],
    ['run', 'sub'],
    ['assert', 'fromSub', 'x'],
    ['times', '1'],
    ['end'],
  ],
  sub: [['store', 'x', 'fromSub']],
  page: [
    ['open', '/p.html'],
    ['assertTitle', 'test'],
    ['type', 'id=q', 'new'],
    ['storeValue', 'id=q', 'v'],
    ['assert', 'v', 'new'],
    ['storeAttribute', 'id=t@style', 'st'],
    ['assert', 'st', 'color: blue;'],
    ['assertText', 'id=t', 'Hello you'],
    ['verifyNotText', 'id=t', 'Hello'],
    ['storeElementCount', 'css=button', 'n'],
    ['assert', 'n', '3'],
    ['click', 'id=c'],
    ['assertConfirmation', 'Sure?'],
    ['acceptConfirmation'],
    ['assertTitle', 'ok'],
    ['chooseCancelOnNextConfirmation'],
    ['click', 'id=c'],
    ['pause', '10'],
    ['assertConfirmation', 'Sure?'],
    ['assertTitle', 'cancel'],
    ['click', 'id=p'],
    ['assertPrompt', 'Name?'],
    ['answerPrompt', 'Tom'],
    ['assertTitle', 'Tom'],
    ['click', 'id=p'],
    ['assertPrompt', 'Name?'],
    ['answerPrompt', ''],
    ['assertTitle', ''],
    ['click', 'id=a'],
    ['assertAlert', 'one'],
    ['acceptAlert'],
    ['assertAlert', 'two'],
    ['acceptAlert'],
    ['assertTitle', 'both'],
    ['executeScript', "document.title = 'x{{y}}'"],
    ['assertTitle', 'x{{y}}'],
    ['assertEditable', 'id=q'],
    ['assertElementNotPresent', 'id=nope'],
    ['waitForElementVisible', 'id=q', '500'],
    ['waitForElementNotPresent', 'id=zz', '500'],
    ['waitForText', 'id=t', 'Hello you'],
  ],
};
test.each([
  ['blocks, scripts and variables do what they do in the IDE', 'control'],
  ['elements and dialogs do what they do in the IDE', 'page'],
])('%s', async (_, name) => {
  const imported = importSideProject(sideFile(cases), 'x.side').find((flow) => flow.name === name);
  if (imported === undefined) throw new Error('the project has no such test');
  const { nodes, edges, variables } = imported.flow;
  const { result } = await site.runFlow(
    { nodes: [...nodes], edges: [...edges] },
    { variables: { ...variables, BASE_URL: site.url('') } },
  );
  expect(result).toMatchObject({ status: 'passed' });
  expect(imported.unkept).toEqual([]);
});
