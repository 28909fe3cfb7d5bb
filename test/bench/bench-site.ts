import { servePages } from './loopback-pages.ts';

/** The pages of the benchmark flows, on loopback. */
export function startBenchSite(): Promise<{ url: string; close(): void }> {
  return servePages(({ pathname }) => page(pathname.startsWith('/late') ? 150 : 0));
}

/** A list one adds to; with `lateMs` every change of the page comes that much later, as from a server. */
function page(lateMs: number): string {
  return `<!doctype html><html lang="en"><head><title>List</title><link rel="icon" href="data:,"></head><body>
<h1>List</h1>
<input id="item"><button id="add">Add</button><button id="clear">Clear</button>
<ul></ul><p id="count">0 items</p>
<script>
  const later = (change) => ${lateMs} === 0 ? change() : setTimeout(change, ${lateMs});
  const list = document.querySelector('ul'), item = document.querySelector('#item'), count = document.querySelector('#count');
  const show = () => { count.textContent = list.children.length + ' items'; };
  document.querySelector('#add').onclick = () => {
    const text = item.value;
    later(() => { const li = document.createElement('li'); li.id = 'item-' + (list.children.length + 1); li.textContent = text; list.append(li); show(); });
  };
  document.querySelector('#clear').onclick = () => later(() => { list.replaceChildren(); show(); });
</script></body></html>`;
}
