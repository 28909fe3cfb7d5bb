import { describe, expect, it } from 'vitest';
import { actionSteps } from '../../support/action-steps.ts';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';

const heard = `<output id="heard"></output><script>
  const told = [];
  for (const type of ['keydown', 'keyup']) addEventListener(type, (event) => {
    told.push(type.slice(3) + ':' + event.key + (event.target.id ? '@' + event.target.id : ''));
    heard.textContent = told.join(' ');
  }, true);
</script>`;

const site = browserTests({
  '/keys': `<input id="a" value="abc"><input id="b"><div id="plain">text</div>
    <label id="named">Name <input id="c"></label>${heard}`,
  '/form': `<form action="/done"><input id="q" name="q" value="tea"><button>Go</button></form>`,
  '/done': (response, url) => {
    setTimeout(
      () => response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>${url.search}</h1>`),
      300,
    );
  },
  '/file': `<form action="/nothing"><input id="q" name="q"></form><p id="still">still here</p>`,
  '/nothing': (response) => void response.writeHead(204).end(),
  '/late': `<div id="here"></div>${heard}<script>
    setTimeout(() => { here.innerHTML = '<input id="a" disabled>'; }, 100);
    setTimeout(() => { here.innerHTML = '<input id="a" disabled>'; }, 200);
    setTimeout(() => { a.disabled = false; }, 400);
  </script>`,
  '/frame': `<iframe srcdoc="<input id=inner oninput='parent.out.textContent=value'>"></iframe><output id="out"></output>`,
  '/shadow': `<x-field></x-field><output id="out"></output><script>
    customElements.define('x-field', class extends HTMLElement {
      connectedCallback() {
        this.attachShadow({ mode: 'open' }).innerHTML = '<input id="deep">';
        this.shadowRoot.firstChild.oninput = (event) => { out.textContent = event.target.value; };
      }
    });
  </script>`,
  '/alert': `<input id="a" onkeydown="alert('pressed')"><output id="out"></output><script>
    let count = 0; a.addEventListener('keydown', () => { out.textContent = String(++count); });
  </script>`,
  '/focus': `<input id="a"><output id="out"></output><script>
    a.addEventListener('focus', () => { out.textContent += 'in '; });
    a.addEventListener('blur', () => { out.textContent += 'out '; });
  </script>`,
});

const { open, shows, errors } = actionSteps(site);

describe('press', () => {
  it('presses a key in an element, and a chord where the keyboard is then', async () => {
    expect(
      await errors([
        open('/keys'),
        ['press', { selector: '#b', key: 'x' }],
        ['press', { key: 'Control+Shift+ArrowLeft' }],
        shows(
          '#heard',
          'down:x@b up:x@b down:Control@b down:Shift@b down:ArrowLeft@b up:ArrowLeft@b up:Shift@b up:Control@b',
        ),
      ]),
    ).toEqual([]);
  });

  it('presses as often as it says, and leaves the caret where it was', async () => {
    expect(
      await errors(
        [
          open('/keys'),
          ['focus', { selector: '#a' }],
          ['press', { key: 'End' }],
          ['press', { selector: '#a', key: 'Backspace', count: 2 }],
          ['press', { selector: '#a', key: 'é' }],
          ['press', { key: 'ControlOrMeta+A' }],
          ['press', { key: 'ControlOrMeta+C' }],
          ['press', { selector: '#named', key: 'ControlOrMeta+V' }],
          ['press', { selector: '#c', key: 'End' }],
          ['press', { key: '+' }],
          ['waitFor', { selector: '#c', state: 'visible' }],
        ].slice(0, -1) as ShortStep[],
      ),
    ).toEqual([]);
    const { result } = await site.run([
      open('/keys'),
      ['press', { selector: '#a', key: 'End' }],
      ['press', { selector: '#a', key: 'Backspace', count: 2 }],
      ['press', { key: 'é' }],
      ['click', { selector: '#a' }],
    ]);
    expect(result.stepsResult.map(({ logs }) => logs).slice(1, 4)).toEqual([
      'Pressed End in #a',
      'Pressed Backspace 2 times in #a',
      'Pressed é',
    ]);
  });

  it('waits for the page that Enter leads to', async () => {
    const { result } = await site.run([
      open('/form'),
      ['press', { selector: '#q', key: 'Enter' }],
      ['extract', { selector: 'h1', variable: 'WHERE' }],
    ]);
    expect(result.stepsResult[2]?.extracted?.value).toBe('?q=tea');
    expect(result.stepsResult[1]?.durationMs).toBeGreaterThan(250);
  });

  it('goes on where Enter asks for an address that answers with nothing', async () => {
    const { result } = await site.run([
      open('/file'),
      ['press', { selector: '#q', key: 'Enter' }],
      shows('#still', 'still here'),
    ]);
    expect(result.status).toBe('passed');
  });

  it('waits for an element that comes late, is drawn anew and is disabled at first', async () => {
    expect(
      await errors([
        open('/late'),
        ['press', { selector: '#a', key: 'q' }],
        shows('#heard', 'down:q@a up:q@a'),
      ]),
    ).toEqual([]);
  });

  it('works in frames and shadow roots', async () => {
    expect(
      await errors([
        open('/frame'),
        ['press', { selector: 'iframe >> internal:control=enter-frame >> #inner', key: 'k' }],
        shows('#out', 'k'),
        open('/shadow'),
        ['press', { selector: 'x-field >> #deep', key: 'j' }],
        shows('#out', 'j'),
      ]),
    ).toEqual([]);
  });

  it('presses once where a dialog opens', async () => {
    const { result } = await site.run([
      open('/alert'),
      ['press', { selector: '#a', key: 'x' }],
      shows('#out', '1'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.logs).toContain('dismissed the alert "pressed"');
  });

  it('says what takes no keys, and what is no key', async () => {
    const { result } = await site.run([
      open('/keys'),
      ['press', { selector: '#plain', key: 'x', timeoutMs: 1_500 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'not_actionable',
      error: '#plain could not be acted on within 1.5 s: it does not take the keyboard',
    });
    const second = await site.run([open('/keys'), ['press', { key: 'Foo' }]]);
    expect(second.result.stepsResult[1]).toMatchObject({ errorKind: 'invalid_data' });
  });
});

describe('keyDown and keyUp', () => {
  it('hold a key over the steps between them', async () => {
    expect(
      await errors([
        open('/keys'),
        ['focus', { selector: '#b' }],
        ['keyDown', { key: 'Shift' }],
        ['press', { key: 'KeyA' }],
        ['keyUp', { key: 'Shift' }],
        shows('#heard', 'down:Shift@b down:A@b up:A@b up:Shift@b'),
      ]),
    ).toEqual([]);
  });
});

describe('focus', () => {
  it('puts the keyboard on an element, and takes it away', async () => {
    expect(
      await errors([
        open('/focus'),
        ['focus', { selector: '#a' }],
        ['focus', { selector: '#a', leave: true }],
        shows('#out', 'in out'),
      ]),
    ).toEqual([]);
  });
});
