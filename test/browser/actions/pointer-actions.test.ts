import { describe, expect, it } from 'vitest';
import { actionSteps } from '../../support/action-steps.ts';
import { browserTests } from '../../support/flow-in-browser.ts';

const heard = `<output id="heard" style="position:fixed;bottom:0;right:0"></output><script>
  const told = [];
  function tell(text) { told.push(text); heard.textContent = told.join(' '); }
</script>`;

const site = browserTests({
  '/buttons': `${heard}<button id="b" style="position:absolute;left:100px;top:100px;width:100px;height:40px;border:4px solid;padding:0">B</button>
    <script>
      for (const type of ['click', 'dblclick', 'auxclick', 'contextmenu']) b.addEventListener(type, (event) => {
        event.preventDefault();
        tell(type + event.button + ':' + event.detail + (event.ctrlKey ? 'c' : '') + (event.shiftKey ? 's' : ''));
      });
    </script>`,
  '/point': `${heard}<div id="b" style="position:absolute;left:100px;top:100px;width:100px;height:40px;border:4px solid"></div>
    <script>b.onclick = (event) => tell((event.clientX - 100) + ',' + (event.clientY - 100));</script>`,
  '/held': `${heard}<button id="b">B</button><script>
      let at = 0;
      b.onmousedown = () => { at = performance.now(); };
      b.onmouseup = () => tell(performance.now() - at >= 150 ? 'long' : 'short');
    </script>`,
  '/select': `${heard}<select id="s" onchange="tell(s.value)"><option value="1">One</option><option id="two" value="2">Two</option></select>
    <select id="open" size="3" onchange="tell(this.value)"><option value="x">X</option><option value="y" id="y">Y</option></select>`,
  '/parts': `${heard}<button id="outer" onclick="tell('button')" style="position:relative;width:120px;height:40px">
      <span id="words">words</span><span id="shade" style="position:absolute;inset:0"></span></button>`,
  '/veiled': `${heard}<button id="b" onclick="tell('button')" style="width:100px;height:40px">B</button>
    <div id="veil" onclick="tell('veil')" style="position:fixed;inset:0"></div>`,
  '/passing': `${heard}<button id="b" onclick="tell('button')" style="width:100px;height:40px">B</button>
    <div id="veil" onclick="tell('veil')" style="position:fixed;inset:0"></div>
    <script>setTimeout(() => veil.remove(), 500)</script>`,
  '/closing': `${heard}<button id="b" onclick="tell('once')">B</button><script>
      b.addEventListener('click', () => { b.disabled = true; b.style.display = 'none'; });
    </script>`,
  '/hover': `${heard}<div id="menu" style="width:100px;height:30px">Menu<button id="item" hidden onclick="tell('item')">Item</button></div>
    <script>
      menu.onmouseenter = (event) => { item.hidden = false; tell('in' + (event.shiftKey ? 's' : '')); };
      menu.onmouseleave = () => { item.hidden = true; tell('out'); };
    </script>`,
  '/mouse': `${heard}<div id="pad" style="position:absolute;left:50px;top:60px;width:200px;height:100px"></div><script>
      for (const type of ['mousedown', 'mouseup', 'mousemove', 'mouseleave']) pad.addEventListener(type, (event) => {
        tell(type.slice(5) + event.button + '@' + (event.clientX - 50) + ',' + (event.clientY - 60));
      });
    </script>`,
  '/html5': `${heard}<div id="from" draggable="true" style="width:80px;height:40px">drag</div>
    <div id="to" style="margin-top:80px;width:200px;height:80px">here</div><script>
      from.ondragstart = (event) => { event.dataTransfer.setData('text/plain', 'cargo'); tell('start'); };
      to.ondragover = (event) => event.preventDefault();
      to.ondrop = (event) => { event.preventDefault(); tell('drop:' + event.dataTransfer.getData('text/plain')); };
    </script>`,
  '/pointer': `${heard}<div id="knob" style="position:absolute;left:20px;top:60px;width:40px;height:40px"></div>
    <div id="goal" style="position:absolute;left:300px;top:200px;width:60px;height:60px" hidden></div><script>
      let held = false, moves = 0;
      knob.onpointerdown = (event) => { held = true; knob.setPointerCapture(event.pointerId); };
      knob.onpointermove = (event) => {
        if (!held) return;
        moves += 1;
        goal.hidden = false;
        knob.style.left = event.clientX - 20 + 'px';
        knob.style.top = event.clientY - 20 + 'px';
      };
      knob.onpointerup = (event) => {
        held = false;
        tell((moves > 5 ? 'many ' : 'few ') + Math.round(event.clientX) + ',' + Math.round(event.clientY));
      };
    </script>`,
  '/scroll': `${heard}<div id="box" style="height:100px;width:100px;overflow:auto"><div style="height:1000px;width:900px"></div></div>
    <div style="height:3000px"></div><p id="end">end</p><script>
      box.onscroll = () => { heard.textContent = 'box ' + box.scrollLeft + ',' + box.scrollTop; };
      document.onscroll = () => { heard.textContent = 'page ' + scrollY; };
    </script>`,
  '/lazy': `<div id="list"></div><script>
      const add = () => { for (let i = 0; i < 10; i += 1) list.insertAdjacentHTML('beforeend', '<p style="height:100px">' + list.children.length + '</p>'); };
      add();
      addEventListener('scroll', () => {
        if (scrollY + innerHeight >= document.body.scrollHeight - 50 && list.children.length < 50) setTimeout(add, 100);
      });
    </script>`,
  '/moving': `${heard}<button id="b" style="position:absolute;top:50px" onclick="tell('hit')">B</button><script>
      let x = 0;
      const timer = setInterval(() => { x += 8; b.style.left = x + 'px'; if (x > 300) clearInterval(timer); }, 16);
    </script>`,
  '/redrawn': `${heard}<div id="here"></div><script>
      let times = 0;
      const draw = () => { here.innerHTML = '<button id="b" onclick="tell(1)">B</button>'; if (times++ < 40) setTimeout(draw, 20); };
      draw();
    </script>`,
  '/frame': `<iframe style="margin:40px" srcdoc="<button id=b onclick='parent.out.textContent+=1' ondblclick='parent.out.textContent+=2'>B</button>"></iframe><output id="out"></output>`,
  '/alert': `<button id="b" onclick="window.n = (window.n ?? 0) + 1; alert('hi'); out.textContent = n">B</button><output id="out"></output>`,
});

const { open, shows, hears, errors } = actionSteps(site);

describe('click', () => {
  it('clicks with the button, as often and with the keys it says', async () => {
    expect(
      await errors([
        open('/buttons'),
        ['click', { selector: '#b', count: 2 }],
        hears('click0:1 click0:2 dblclick0:2'),
        open('/buttons'),
        ['click', { selector: '#b', button: 'right' }],
        hears('contextmenu2:0 auxclick2:1'),
        open('/buttons'),
        ['click', { selector: '#b', button: 'middle', modifiers: ['Shift'] }],
        hears('auxclick1:1s'),
        open('/buttons'),
        ['click', { selector: '#b', modifiers: ['ControlOrMeta'] }],
        hears('click0:1c'),
        // The button at the side is that of the browser, too.
        open('/point'),
        open('/buttons'),
        ['click', { selector: '#b', button: 'back' }],
        ['click', { selector: '#b', position: { x: 1, y: 2 } }],
        hears('1,2'),
      ]),
    ).toEqual([]);
  });

  it('clicks at a point from the corner of the element, and in its middle where that lies outside', async () => {
    expect(
      await errors([
        open('/point'),
        ['click', { selector: '#b', position: { x: 10, y: 12 } }],
        ['click', { selector: '#b', position: { x: 500, y: 12 } }],
        ['click', { selector: '#b', position: { x: -3, y: 12 } }],
        hears('10,12 54,24 54,24'),
      ]),
    ).toEqual([]);
  });

  it('holds the button as long as it says', async () => {
    expect(await errors([open('/held'), ['click', { selector: '#b', delayMs: 160 }], hears('long')])).toEqual(
      [],
    );
  });

  it('on an option chooses it, in an open list too', async () => {
    expect(
      await errors([
        open('/select'),
        ['click', { selector: '#two' }],
        hears('2'),
        ['click', { selectors: ['#nothing', '#s option[value="1"]'] }],
        hears('2 1'),
        ['click', { selector: '#y' }],
        hears('2 1 y'),
      ]),
    ).toEqual([]);
  });

  it('goes to another part of the same button that lies over the one it means', async () => {
    expect(await errors([open('/parts'), ['click', { selector: '#words' }], hears('button')])).toEqual([]);
  });

  it('waits for what covers the element to go, and fails where it stays', async () => {
    expect(await errors([open('/passing'), ['click', { selector: '#b' }], hears('button')])).toEqual([]);
    const { result } = await site.run([open('/veiled'), ['click', { selector: '#b', timeoutMs: 1_500 }]]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'not_actionable',
      error: expect.stringContaining('<div id="veil"'),
    });
  });

  it('at a point goes to whatever is there when it stays covered, once, and says so', async () => {
    const { result } = await site.run([
      open('/veiled'),
      ['click', { selector: '#b', position: { x: 5, y: 5 }, timeoutMs: 2_000 }],
      hears('veil'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.logs).toBe('Clicked #b, at a point that <div#veil> covers');
    const passing = await errors([
      open('/passing'),
      ['click', { selector: '#b', position: { x: 5, y: 5 }, timeoutMs: 4_000 }],
      hears('button'),
    ]);
    expect(passing).toEqual([]);
  });

  it('clicks once, however the page answers', async () => {
    expect(
      await errors([
        open('/closing'),
        ['click', { selector: '#b' }],
        hears('once'),
        open('/redrawn'),
        ['click', { selector: '#b' }],
        hears('1'),
        open('/moving'),
        ['click', { selector: '#b' }],
        hears('hit'),
        open('/alert'),
        ['click', { selector: '#b' }],
        shows('#out', '1'),
      ]),
    ).toEqual([]);
  });

  it('clicks in frames', async () => {
    expect(
      await errors([
        open('/frame'),
        ['click', { selector: 'iframe >> internal:control=enter-frame >> #b', position: { x: 3, y: 3 } }],
        shows('#out', '1'),
      ]),
    ).toEqual([]);
  });
});

describe('hover', () => {
  it('moves the mouse over the element, where it stays', async () => {
    expect(
      await errors([
        open('/hover'),
        ['hover', { selector: '#menu', modifiers: ['Shift'], position: { x: 3, y: 3 } }],
        ['click', { selector: '#item' }],
        hears('ins item'),
      ]),
    ).toEqual([]);
  });

  it('is not stopped by what covers the element', async () => {
    const { result } = await site.run([open('/veiled'), ['hover', { selector: '#b' }]]);
    expect(result.stepsResult[1]?.logs).toBe('Moved the mouse over #b, at a point that <div#veil> covers');
  });
});

describe('mouse', () => {
  it('moves, presses, releases and leaves', async () => {
    expect(
      await errors([
        open('/mouse'),
        ['mouse', { action: 'move', selector: '#pad', position: { x: 10, y: 10 } }],
        ['mouse', { action: 'down' }],
        ['mouse', { action: 'move', position: { x: 150, y: 110 } }],
        ['mouse', { action: 'up' }],
        ['mouse', { action: 'out', selector: '#pad' }],
        hears('move0@10,10 down0@10,10 move0@100,50 up0@100,50 leave0@100,-4'),
      ]),
    ).toEqual([]);
  });

  it('presses and releases at elements, with any button', async () => {
    expect(
      await errors([
        open('/mouse'),
        ['mouse', { action: 'down', selector: '#pad', button: 'right' }],
        ['mouse', { action: 'up', selector: '#pad', position: { x: 1, y: 2 }, button: 'right' }],
        hears('move0@100,50 down2@100,50 move0@1,2 up2@1,2'),
      ]),
    ).toEqual([]);
  });

  it('needs to be told where to move', async () => {
    expect(await errors([open('/mouse'), ['mouse', { action: 'move' }]])).toEqual(['selector: is missing']);
  });
});

describe('drag', () => {
  it("is a drag for the browser's own dragging", async () => {
    expect(
      await errors([
        open('/html5'),
        ['drag', { selector: '#from', toSelector: '#to' }],
        hears('start drop:cargo'),
      ]),
    ).toEqual([]);
  });

  it('is a drag for pages that listen to the pointer, whose goal shows only then', async () => {
    expect(
      await errors([
        open('/pointer'),
        ['drag', { selector: '#knob', toSelectors: ['#nothing', '#goal'], toPosition: { x: 10, y: 20 } }],
        hears('many 310,220'),
      ]),
    ).toEqual([]);
  });

  it('goes by pixels', async () => {
    expect(
      await errors([
        open('/pointer'),
        ['drag', { selector: '#knob', by: { x: 100, y: 30 }, position: { x: 20, y: 20 } }],
        hears('many 140,110'),
      ]),
    ).toEqual([]);
  });

  it('lets go of the mouse when there is nothing to drop on', async () => {
    const { result } = await site.run([
      open('/pointer'),
      ['drag', { selector: '#knob', toSelector: '#nothing', timeoutMs: 1_500 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'not_found' });
  });
});

describe('scroll', () => {
  it('scrolls the page, what is in an element, and an element into view', async () => {
    expect(
      await errors([
        open('/scroll'),
        ['scroll', { y: 700 }],
        hears('page 700'),
        ['scroll', { to: 'top' }],
        hears('page 0'),
        ['scroll', { selector: '#box', x: 20, y: 300 }],
        hears('box 20,300'),
        ['scroll', { selector: '#box', to: 'bottom' }],
        ['scroll', { selector: '#end' }],
      ]),
    ).toEqual([]);
  });

  it('goes on to the end of a list that grows as it is scrolled', async () => {
    const { result } = await site.run([
      open('/lazy'),
      ['scroll', { to: 'bottom' }],
      ['assertion', { selector: '#list p:nth-child(50)', value: '49', timeoutMs: 100 }],
      open('/lazy'),
      ['scroll', { y: 3_000 }],
      ['scroll', { y: 100_000 }],
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[4]?.logs).toBe('Scrolled the page to 0, 3000');
    expect(result.stepsResult[5]?.logs).toMatch(/, as far as it goes$/);
  });
});
