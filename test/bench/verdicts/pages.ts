/** What stands at each address of the comparison's site, small pages that are each about one thing. */
export const pages: Readonly<Record<string, string>> = {
  index: page(
    'Contents',
    `<h1>Contents</h1><ul>
<li><a href="/form">Order</a></li><li><a href="/late">Late things</a></li><li><a href="/list">Shopping list</a></li></ul>`,
  ),
  form: page(
    'Order',
    `<h1>Order</h1>
<form action="/sent">
<label for="name">Name</label> <input id="name" name="name">
<label for="note">Note</label> <textarea id="note" name="note"></textarea>
<label for="size">Size</label>
<select id="size" name="size"><option value="s">Small</option><option value="m">Medium</option><option value="l">Large</option></select>
<label for="extras">Extras</label>
<select id="extras" name="extras" multiple size="3"><option value="milk">Milk</option><option value="sugar">Sugar</option><option value="rum">Rum</option></select>
<label><input type="checkbox" id="gift" name="gift" value="yes"> Gift</label>
<label><input type="radio" id="post" name="by" value="post"> Post</label>
<label><input type="radio" id="pickup" name="by" value="pickup" checked> Pick up</label>
<input id="amount" name="amount" type="number" value="1">
<input id="fixed" value="cannot change" readonly>
<input id="off" value="asleep" disabled>
<button id="send" aria-label="Send order">Send</button>
</form>`,
  ),
  late: page(
    'Late things',
    `<h1>Late things</h1><button id="begin">Begin</button><p id="state">idle</p><div id="room"></div>
<button id="sleepy" disabled>Sleepy</button>`,
    `const room = document.querySelector('#room'), state = document.querySelector('#state');
document.querySelector('#begin').onclick = () => {
  state.textContent = 'working';
  setTimeout(() => { room.innerHTML = '<button id="next">Next</button><p id="gone">for a moment</p>'; }, 400);
  setTimeout(() => { document.querySelector('#gone').remove(); document.querySelector('#sleepy').disabled = false; }, 900);
  room.onclick = () => { state.textContent = 'done'; document.title = 'All done'; };
};
document.querySelector('#sleepy').onclick = () => { state.textContent = 'awake'; };`,
  ),
  dialogs: page(
    'Dialogs',
    `<button id="alert">Alert</button><button id="confirm">Confirm</button><button id="prompt">Prompt</button><p id="answer">none</p>`,
    `const say = (text) => { document.querySelector('#answer').textContent = text; };
document.querySelector('#alert').onclick = () => { alert('Beware of the dog'); say('seen'); };
document.querySelector('#confirm').onclick = () => say(confirm('Delete it?') ? 'deleted' : 'kept');
document.querySelector('#prompt').onclick = () => say('hello ' + prompt('Your name?', 'nobody'));`,
  ),
  frames: page(
    'Frames',
    `<h1>Outside</h1><iframe name="first" src="/inside"></iframe><iframe id="second" src="/nest"></iframe>`,
  ),
  nest: page('Nest', `<h2>Nest</h2><iframe name="deep" src="/inside"></iframe>`),
  inside: page(
    'Inside',
    `<h2>Inside</h2><input id="word"><button id="tell">Tell</button><p id="told"></p>`,
    `document.querySelector('#tell').onclick = () => {
  document.querySelector('#told').textContent = 'told ' + document.querySelector('#word').value;
};`,
  ),
  windows: page(
    'Windows',
    `<h1>First window</h1><a id="open" href="/popup" target="_blank">Open another</a>
<button id="script" onclick="window.open('/popup', 'made', 'width=300,height=200')">By script</button>`,
  ),
  popup: page(
    'Another',
    `<h1>Another window</h1><button id="tick" onclick="this.textContent = 'Ticked'">Tick</button>`,
  ),
  shadow: page(
    'Shadow',
    `<h1>Shadow</h1><x-counter></x-counter>`,
    `class Inner extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' }).innerHTML = '<button class="plus">Plus</button><output>0</output>';
    const out = this.shadowRoot.querySelector('output');
    this.shadowRoot.querySelector('button').onclick = () => {
      out.textContent = Number(out.textContent) + 1;
      document.title = 'Counted ' + out.textContent;
    };
  }
}
class Counter extends HTMLElement {
  connectedCallback() { this.attachShadow({ mode: 'open' }).innerHTML = '<x-inner></x-inner>'; }
}
customElements.define('x-inner', Inner);
customElements.define('x-counter', Counter);`,
  ),
  pointer: page(
    'Pointer',
    `<style>.menu ul { display: none } .menu:hover ul { display: block } .box { width: 90px; height: 60px; border: 1px solid; display: inline-block }</style>
<div class="menu"><span id="more">More</span><ul><li><a href="#help" id="help">Help</a></li></ul></div>
<div id="pad" class="box">pad</div><p id="log">nothing</p>
<div id="card" class="box" draggable="true">card</div><div id="tray" class="box">tray</div>
<div style="position:relative"><button id="under">Under</button><div style="position:absolute;inset:0;background:#fffa" id="cover"></div></div>
<input type="checkbox" id="ghost" style="opacity:0"><label for="ghost">Ghost</label>
<button id="hidden" style="display:none">Hidden</button>`,
    `const say = (text) => { document.querySelector('#log').textContent = text; };
const pad = document.querySelector('#pad');
pad.onclick = (event) => say('click at ' + (event.offsetX < 45 ? 'left' : 'right'));
pad.ondblclick = () => say('double');
pad.oncontextmenu = (event) => { event.preventDefault(); say('menu'); };
pad.onauxclick = (event) => { if (event.button === 1) say('middle'); };
document.querySelector('#help').onclick = () => say('help');
document.querySelector('#under').onclick = () => say('under');
document.querySelector('#cover').onclick = () => say('cover');
document.querySelector('#ghost').onchange = (event) => say('ghost ' + event.target.checked);
const card = document.querySelector('#card'), tray = document.querySelector('#tray');
card.ondragstart = (event) => event.dataTransfer.setData('text/plain', 'card');
tray.ondragover = (event) => event.preventDefault();
tray.ondrop = (event) => { event.preventDefault(); tray.append(card); say('dropped'); };`,
  ),
  long: page(
    'Long',
    `<h1>Long</h1><p id="seen">top</p><div id="pane" style="height:100px;overflow:auto"><div style="height:2000px">tall</div></div>
<div style="height:3000px"></div><button id="end">End</button>`,
    `addEventListener('scroll', () => { if (document.title !== 'End reached') document.title = scrollY > 500 ? 'Far down' : 'Long'; });
document.querySelector('#pane').addEventListener('scroll', (event) => {
  document.querySelector('#seen').textContent = event.target.scrollTop > 200 ? 'pane down' : 'pane up';
});
document.querySelector('#end').onclick = () => { document.title = 'End reached'; };`,
  ),
  keys: page(
    'Keys',
    `<input id="field"><p id="last">none</p><p id="chord">none</p><input id="other">`,
    `const field = document.querySelector('#field');
field.onkeydown = (event) => {
  document.querySelector('#last').textContent = event.key;
  if (event.ctrlKey && event.key === 'k') { event.preventDefault(); document.querySelector('#chord').textContent = 'ctrl k'; }
};
document.querySelector('#other').onfocus = () => { document.title = 'Other in focus'; };`,
  ),
  table: page(
    'Prices',
    `<table id="prices"><caption>Prices</caption><thead><tr><th>Drink</th><th>Price</th></tr></thead>
<tbody><tr><td>Tea</td><td>2.50</td></tr><tr><td>Coffee</td><td>3.20</td></tr><tr><td>Cocoa</td><td>3.90</td></tr></tbody></table>
<p id="space">  two   spaces
 and a line<br>broken </p><p id="upper" style="text-transform:uppercase">loud</p><p id="secret">seen<span style="display:none"> unseen</span></p>
<p id="tagged" class="one two" data-kind="fact" style="color: red">Tagged</p>`,
  ),
  list: page(
    'Shopping list',
    `<h1>Shopping list</h1><input id="item" placeholder="What to buy"><button id="add">Add</button><ul id="items"></ul><p id="left"></p>`,
    // The whole list is made anew after each change, and once more a moment later.
    `let items = [];
const draw = () => {
  document.querySelector('#items').innerHTML = items.map(({ text, done }, index) =>
    '<li class="' + (done ? 'done' : '') + '"><input type="checkbox"' + (done ? ' checked' : '') + ' data-index="' + index + '"><label>' + text +
    '</label><button class="drop" aria-label="Drop ' + text + '" data-index="' + index + '">x</button></li>').join('');
  document.querySelector('#left').textContent = items.filter(({ done }) => !done).length + ' left';
};
const change = () => { draw(); setTimeout(draw, 60); };
const add = () => { const box = document.querySelector('#item'); items.push({ text: box.value, done: false }); box.value = ''; change(); };
document.querySelector('#add').onclick = add;
document.querySelector('#item').onkeydown = (event) => { if (event.key === 'Enter') add(); };
document.querySelector('#items').addEventListener('click', ({ target }) => {
  const index = Number(target.dataset.index);
  if (target.className === 'drop') items.splice(index, 1);
  else if (target.type === 'checkbox') items[index].done = target.checked;
  else return;
  change();
});
change();`,
  ),
};

function page(title: string, body: string, script = ''): string {
  return `<!doctype html><html lang="en"><head><title>${title}</title><link rel="icon" href="data:,"></head><body>
${body}
<script>${script}</script></body></html>`;
}
