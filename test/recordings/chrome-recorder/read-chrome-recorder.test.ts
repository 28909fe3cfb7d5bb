import { describe, expect, it } from 'vitest';
import { checkFlow } from '../../../src/flow/check-flow.ts';
import type { ImportedFlow } from '../../../src/recordings/imported.ts';
import { readRecording } from '../../../src/recordings/read-recording.ts';

/** The only flow of a recording with these steps; it must be one that the engine takes. */
function imported(steps: unknown[], around: object = {}): ImportedFlow {
  const recording = readRecording(JSON.stringify({ title: 'Buy', steps, ...around }), 'buy.json');
  expect(recording?.format).toBe('chrome-recorder');
  const [flow] = recording?.flows ?? [];
  if (flow === undefined) throw new Error('no flow');
  const { nodes, edges, variables = {} } = flow.flow;
  const checked = checkFlow({ nodes: [...nodes], edges: [...edges] }, variables);
  expect(checked.ok ? [] : checked.problems).toEqual([]);
  return flow;
}

/** Type and data of the steps in their order. */
function stepsOf(flow: ImportedFlow): [string, unknown][] {
  return flow.flow.nodes.slice(1).map(({ type, data }) => [type, data]);
}

function problemsOf(content: unknown): readonly string[] {
  try {
    readRecording(JSON.stringify(content), 'buy.json');
  } catch (error) {
    return (error as { problems: readonly string[] }).problems;
  }
  throw new Error('was taken');
}

describe('a recording of Chrome’s Recorder', () => {
  it('becomes a flow with a node for each step, named by its number and drawn from top to bottom', () => {
    const { flow } = imported([
      {
        type: 'setViewport',
        width: 800,
        height: 600,
        deviceScaleFactor: 2,
        isMobile: true,
        hasTouch: true,
        isLandscape: false,
      },
      { type: 'navigate', url: 'https://shop.example/' },
    ]);
    expect(flow).toEqual({
      name: 'Buy',
      nodes: [
        { id: 'start', type: 'start', position: { x: 0, y: 0 }, data: {} },
        {
          id: '1-viewport',
          type: 'viewport',
          position: { x: 0, y: 110 },
          data: {
            width: 800,
            height: 600,
            deviceScaleFactor: 2,
            isMobile: true,
            hasTouch: true,
            isLandscape: false,
          },
        },
        {
          id: '2-navigate',
          type: 'navigate',
          position: { x: 0, y: 220 },
          data: { url: 'https://shop.example/' },
        },
      ],
      edges: [
        { id: 'start->1-viewport', source: 'start', target: '1-viewport' },
        { id: '1-viewport->2-navigate', source: '1-viewport', target: '2-navigate' },
      ],
    });
  });

  it('keeps every way of clicking', () => {
    const flow = imported([
      {
        type: 'click',
        selectors: [['aria/Buy'], ['my-shop', 'button'], '#buy'],
        offsetX: 3.5,
        offsetY: 4,
        target: 'main',
      },
      {
        type: 'doubleClick',
        selectors: ['#row'],
        offsetX: 1,
        offsetY: 2,
        button: 'secondary',
        duration: 420.4,
      },
      { type: 'click', selectors: [['#mid']], button: 'auxiliary', deviceType: 'touch' },
      { type: 'hover', selectors: [['#menu']] },
    ]);
    expect(stepsOf(flow)).toEqual([
      ['click', { selectors: ['aria/Buy', ['my-shop', 'button'], '#buy'], position: { x: 3.5, y: 4 } }],
      ['click', { selector: '#row', count: 2, button: 'right', position: { x: 1, y: 2 }, delayMs: 420 }],
      ['click', { selector: '#mid', button: 'middle' }],
      ['hover', { selector: '#menu' }],
    ]);
    expect(flow.notes).toEqual(['step 3: recorded with touch, clicked with the mouse']);
    expect(flow.unkept).toEqual([]);
  });

  it('folds keys that go down and up into presses and chords, and keeps those that overlap', () => {
    const key = (type: string, name: string, more: object = {}) => ({
      type,
      key: name,
      target: 'main',
      ...more,
    });
    const flow = imported([
      { type: 'change', selectors: [['#q']], value: 'pen' },
      key('keyDown', 'Enter'),
      key('keyUp', 'Enter'),
      key('keyDown', 'Control'),
      key('keyDown', 'Shift'),
      key('keyDown', 'a'),
      key('keyUp', 'a'),
      key('keyUp', 'Control'),
      key('keyUp', 'Shift'),
      key('keyDown', 'Meta'),
      key('keyDown', 'c'),
      key('keyUp', 'Meta'),
      key('keyDown', ' '),
      key('keyUp', ' '),
      key('keyDown', 'Shift'),
      key('keyUp', 'Shift'),
    ]);
    expect(stepsOf(flow)).toEqual([
      ['type', { selector: '#q', value: 'pen' }],
      ['press', { key: 'Enter' }],
      ['press', { key: 'Control+Shift+a' }],
      ['keyDown', { key: 'Meta' }],
      ['keyDown', { key: 'c' }],
      ['keyUp', { key: 'Meta' }],
      ['press', { key: 'Space' }],
      ['press', { key: 'Shift' }],
    ]);
  });

  it('does not fold keys of different frames', () => {
    const flow = imported([
      { type: 'keyDown', key: 'a', frame: [0] },
      { type: 'keyUp', key: 'a', frame: [1] },
    ]);
    expect(stepsOf(flow).map(([type]) => type)).toEqual(['keyDown', 'keyUp']);
  });

  it('waits for a navigation that was seen, and keeps its address and title for the reader', () => {
    const navigation = { type: 'navigation', url: 'https://shop.example/paid', title: 'Paid' };
    const flow = imported([
      {
        type: 'navigate',
        url: 'https://shop.example/',
        assertedEvents: [{ type: 'navigation', url: 'https://shop.example/', title: '' }],
      },
      { type: 'keyDown', key: 'Enter' },
      { type: 'keyUp', key: 'Enter', assertedEvents: [navigation] },
      { type: 'click', selectors: ['#pay'], assertedEvents: [navigation, { type: 'paint' }] },
    ]);
    expect(stepsOf(flow)).toEqual([
      ['navigate', { url: 'https://shop.example/', note: 'recorded navigation https://shop.example/' }],
      ['press', { key: 'Enter' }],
      [
        'waitFor',
        {
          load: 'load',
          label: 'page has loaded',
          note: 'recorded navigation https://shop.example/paid "Paid"',
        },
      ],
      ['click', { selector: '#pay' }],
      [
        'waitFor',
        {
          load: 'load',
          label: 'page has loaded',
          note: 'recorded navigation https://shop.example/paid "Paid"',
        },
      ],
      ['log', expect.objectContaining({ message: expect.stringContaining('asserted event "paint"') })],
    ]);
    expect(flow.unkept).toHaveLength(1);
  });

  it('keeps pages, frames and times, and says which steps are in the first page where there are others', () => {
    const flow = imported(
      [
        { type: 'click', selectors: ['#a'], target: 'main', timeout: 700 },
        { type: 'click', selectors: ['#b'], target: 'https://shop.example/popup', frame: [1, 0] },
        { type: 'close', target: 'https://shop.example/popup' },
        { type: 'emulateNetworkConditions', download: 0, upload: 0, latency: 0 },
        { type: 'setViewport', width: 9, height: 9, frame: [1] },
      ],
      { timeout: 3000 },
    );
    expect(stepsOf(flow)).toEqual([
      ['click', { selector: '#a', page: 'main', timeoutMs: 700 }],
      ['click', { selector: '#b', page: 'https://shop.example/popup', frame: [1, 0], timeoutMs: 3000 }],
      ['closePage', { page: 'https://shop.example/popup', timeoutMs: 3000 }],
      ['network', { offline: true, timeoutMs: 3000 }],
      ['viewport', { width: 9, height: 9, page: 'main', timeoutMs: 3000 }],
    ]);
  });

  it('waits, scrolls and slows the network as recorded', () => {
    const flow = imported([
      { type: 'waitForElement', selectors: ['.row'] },
      {
        type: 'waitForElement',
        selectors: ['.row'],
        operator: '==',
        count: 3,
        properties: { a: { b: 1 } },
        attributes: { role: 'row' },
      },
      { type: 'waitForElement', selectors: ['.busy'], visible: false },
      { type: 'waitForExpression', expression: 'window.ready' },
      { type: 'scroll', x: 0, y: 300.5 },
      { type: 'scroll', selectors: ['#list'], y: 40 },
      { type: 'scroll', selectors: ['#end'] },
      { type: 'emulateNetworkConditions', download: 50_000, upload: 20_000, latency: 400.2 },
      { type: 'emulateNetworkConditions', download: -1, upload: -1, latency: 0 },
    ]);
    expect(stepsOf(flow)).toEqual([
      ['waitFor', { selector: '.row', count: 1, operator: '>=' }],
      [
        'waitFor',
        {
          selector: '.row',
          count: 3,
          operator: '==',
          properties: { a: { b: 1 } },
          attributes: { role: 'row' },
        },
      ],
      ['waitFor', { selector: '.busy', count: 1, operator: '>=', negate: true }],
      ['waitFor', { expression: 'window.ready' }],
      ['scroll', { x: 0, y: 300.5 }],
      ['scroll', { selector: '#list', x: 0, y: 40 }],
      ['scroll', { selector: '#end' }],
      ['network', { downloadBytesPerSecond: 50_000, uploadBytesPerSecond: 20_000, latencyMs: 400 }],
      ['network', {}],
    ]);
  });

  it('names what it cannot keep, and puts a note of it in its place', () => {
    const flow = imported([
      { type: 'customStep', name: 'login', parameters: { user: 'ann' } },
      { type: 'teleport' },
      { type: 'navigate', url: 'file:///etc/passwd' },
      { type: 'navigate', url: 'chrome://new-tab-page/' },
    ]);
    expect(flow.unkept).toEqual([
      {
        where: 'step 1',
        what: 'customStep "login" with {"user":"ann"}',
        why: 'what it does is known to the program that wrote it only',
      },
      { where: 'step 2', what: 'teleport', why: "the Recorder's format has no such step" },
      {
        where: 'step 3',
        what: 'navigate',
        why: 'url: file: addresses are not opened, only http: and https:',
      },
    ]);
    expect(stepsOf(flow).map(([type]) => type)).toEqual(['log', 'log', 'log', 'navigate']);
    expect(stepsOf(flow)[0]?.[1]).toEqual({
      message:
        'not kept: step 1, customStep "login" with {"user":"ann"}: what it does is known to the program that wrote it only',
    });
    expect(flow.notes).toEqual(['step 4: chrome://new-tab-page/ is opened as about:blank']);
  });

  it('leaves braces in a recorded text as they are', () => {
    const flow = imported([{ type: 'change', selectors: ['#a'], value: 'Dear {{ NAME }},' }]);
    expect(flow.flow.variables).toEqual({ NAME: '{{NAME}}' });
  });

  it('tells of fields that the format does not have', () => {
    const flow = imported([{ type: 'hover', selectors: ['#a'], speed: 3 }]);
    expect(flow.notes).toEqual([`step 1: the Recorder's format has no field "speed"; it is passed over`]);
  });

  it('is refused with all that is malformed at once', () => {
    expect(
      problemsOf({
        steps: [
          { type: 'click', selectors: [], button: 'third' },
          { type: 'navigate' },
          { url: 'https://shop.example/' },
          'stop',
        ],
      }),
    ).toEqual([
      'title: is missing',
      'steps[2].type: is missing',
      'steps[3]: must be an object',
      'steps[0].selectors: is empty',
      'steps[0].button: must be primary, auxiliary, secondary, back, forward',
      'steps[1].url: must be a text',
    ]);
  });

  it('is told from a flow of ours and from other JSON', () => {
    expect(readRecording('{"nodes":[],"edges":[]}', 'a.json')).toBeNull();
    expect(readRecording('{"nodes":[],"edges":[],"steps":[]}', 'a.json')).toBeNull();
    expect(readRecording('[1]', 'a.json')).toBeNull();
    expect(readRecording('\u{feff}{"title":"a","steps":[]}', 'a.json')?.flows).toHaveLength(1);
  });
});
