/** A row of a table: its cells, or under the names of the columns where the table has such. */
export type TableRow = string[] | Record<string, string>;

/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. The rows of the first of these elements that is
 * visible, up to 10,000: those of a table, or of what has the roles of one. A first row of header cells names the columns. `none`: there is no element.
 */
export function readTable(given: readonly Element[]): TableRow[] | 'none' {
  const element = given.find((each) => each.checkVisibility()) ?? given[0];
  if (element === undefined) return 'none';

  function rowsOf(table: Element): Element[] {
    if (table instanceof HTMLTableElement || table instanceof HTMLTableSectionElement) return [...table.rows];
    const inner = table.querySelector('table');
    const rows = [...table.querySelectorAll('[role="row"]')];
    return rows.length > 0 || inner === null ? rows : [...inner.rows];
  }

  function cellsOf(row: Element): Element[] {
    if (row instanceof HTMLTableRowElement) return [...row.cells];
    return [
      ...row.querySelectorAll('[role="cell"],[role="gridcell"],[role="columnheader"],[role="rowheader"]'),
    ];
  }

  function isHeader(cell: Element): boolean {
    return cell.localName === 'th' || cell.getAttribute('role') === 'columnheader';
  }

  function textOf(cell: Element): string {
    const text = cell instanceof HTMLElement ? cell.innerText : (cell.textContent ?? '');
    return text.replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
  }

  /** A cell over several columns stands in each of them. */
  function textsOf(row: Element): string[] {
    return cellsOf(row).flatMap((cell) => {
      const span = cell instanceof HTMLTableCellElement ? Math.min(cell.colSpan, 1_000) : 1;
      return new Array<string>(span).fill(textOf(cell));
    });
  }

  const rows = rowsOf(element).slice(0, 10_000);
  const [first] = rows;
  if (first === undefined) return [];
  const head = cellsOf(first);
  // An empty corner is no header cell, and names its column all the same. A header at the side only names a row.
  const namesColumns = head.some(isHeader) && head.every((cell) => isHeader(cell) || textOf(cell) === '');
  if (!namesColumns) return rows.map(textsOf);

  const names: string[] = [];
  for (const [index, text] of textsOf(first).entries()) {
    const name = text === '' ? `column ${index + 1}` : text;
    const twins = names.filter((other) => other === name || other.startsWith(`${name} (`)).length;
    names.push(twins === 0 ? name : `${name} (${twins + 1})`);
  }
  return rows.slice(1).map((row) => {
    const texts = textsOf(row);
    const pairs = Array.from({ length: Math.max(names.length, texts.length) }, (_, index) => [
      names[index] ?? `column ${index + 1}`,
      texts[index] ?? '',
    ]);
    return Object.fromEntries(pairs) as Record<string, string>;
  });
}
