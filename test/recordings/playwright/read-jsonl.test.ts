import { describe, expect, it } from 'vitest';
import { readRecording } from '../../../src/recordings/read-recording.ts';

function imported(actions: object[], header: object = { browserName: 'chromium' }) {
  const lines = [header, ...actions.map((action) => ({ pageGuid: 'page@1', signals: [], ...action }))];
  const recording = readRecording(lines.map((line) => JSON.stringify(line)).join('\n'), 'shop.jsonl');
  const [flow] = recording?.flows ?? [];
  if (flow === undefined) throw new Error('no flow');
  return { flow, steps: flow.flow.nodes.slice(1).map(({ type, data }) => [type, data]) };
}

const by = (kind: string, body: string, options: object = {}, next?: object) => ({
  locator: { kind, body, options, ...(next === undefined ? {} : { next }) },
});

describe('codegen’s JSONL', () => {
  it('becomes the flow that the script of the same session becomes', () => {
    const { steps, flow } = imported(
      [
        { name: 'openPage', url: 'about:blank' },
        { name: 'navigate', url: 'https://shop.example/' },
        {
          name: 'click',
          button: 'right',
          modifiers: 10,
          clickCount: 2,
          ...by('role', 'button', { attrs: [{ name: 'checked', value: true }], name: 'Buy', exact: true }),
        },
        { name: 'fill', text: 'Ann', ...by('label', 'Name') },
        {
          name: 'press',
          key: 'a',
          modifiers: 2,
          ...by(
            'default',
            '#f',
            {},
            { kind: 'frame', body: '', options: {}, next: { kind: 'test-id', body: 'q', options: {} } },
          ),
        },
        { name: 'select', options: ['xl'], ...by('default', '#size') },
        {
          name: 'assertText',
          text: 'Pen',
          substring: true,
          ...by('default', 'li', {}, { kind: 'nth', body: '1', options: {} }),
        },
        { name: 'assertChecked', checked: false, ...by('default', '#ok') },
        {
          name: 'click',
          button: 'left',
          modifiers: 0,
          clickCount: 1,
          signals: [{ name: 'popup', popupPageGuid: 'page@2' }, { name: 'dialog' }],
          ...by('text', 'Terms'),
        },
        { name: 'openPage', pageGuid: 'page@2', url: 'https://shop.example/terms' },
        { name: 'closePage', pageGuid: 'page@2' },
      ],
      { browserName: 'chromium', contextOptions: { viewport: { width: 800, height: 600 } } },
    );
    expect(flow.unkept).toEqual([]);
    expect(steps).toEqual([
      ['viewport', { width: 800, height: 600, page: 'main' }],
      ['navigate', { url: 'https://shop.example/', page: 'main' }],
      [
        'click',
        {
          selector: 'role=button[name="Buy"s][checked=true]',
          button: 'right',
          count: 2,
          modifiers: ['ControlOrMeta', 'Shift'],
          page: 'main',
        },
      ],
      ['type', { selector: 'label=Name', value: 'Ann', page: 'main' }],
      ['press', { selector: 'testid=q', frame: ['#f'], key: 'ControlOrMeta+a', page: 'main' }],
      ['select', { selector: '#size', value: 'xl', page: 'main' }],
      [
        'assertion',
        { selector: 'li >> nth=1', subject: 'text', match: 'contains', value: 'Pen', page: 'main' },
      ],
      ['assertion', { selector: '#ok', subject: 'checked', negate: true, page: 'main' }],
      ['click', { selector: 'text=Terms', opens: 'page1', page: 'main' }],
      ['dialog', { action: 'dismiss', required: false }],
      ['closePage', { page: 'page1' }],
    ]);
  });

  it('names what it cannot keep', () => {
    const { flow } = imported([{ name: 'assertSnapshot', ariaSnapshot: '- list', ...by('default', 'ul') }]);
    expect(flow.unkept).toEqual([
      { where: 'line 2', what: 'assertSnapshot', why: 'there is no step for it' },
    ]);
  });
});
