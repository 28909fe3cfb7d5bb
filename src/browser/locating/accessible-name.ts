/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself.
 * The name under which an element is told to people who do not see it, white space folded: by what labels it, or by its content where
 * elements of its kind are named so. Empty for an element without one. A leaner form of https://www.w3.org/TR/accname-1.2.
 */
export function accessibleName(element: Element): string {
  const namedByContent =
    'button,a[href],area[href],h1,h2,h3,h4,h5,h6,option,summary,td,th,tr,[role=button],[role=cell],[role=checkbox],' +
    '[role=columnheader],[role=gridcell],[role=heading],[role=link],[role=menuitem],[role=menuitemcheckbox],' +
    '[role=menuitemradio],[role=option],[role=radio],[role=row],[role=rowheader],[role=switch],[role=tab],' +
    '[role=tooltip],[role=treeitem]';

  function folded(text: string | null | undefined): string {
    return (text ?? '').replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
  }

  function pseudoText(of: Element, which: '::before' | '::after'): string {
    const { content } = getComputedStyle(of, which);
    const written = /^"((?:\\.|[^"\\])*)"$/.exec(content)?.[1];
    return written === undefined ? '' : written.replace(/\\(.)/g, '$1');
  }

  /** What is read aloud of an element within a name. `from`: the element that is named, whose own value says nothing. */
  function contentOf(node: Node, from: Element): string {
    if (node instanceof Text) return node.data;
    if (!(node instanceof Element)) return '';
    if (/^(?:script|style|noscript|template)$/.test(node.localName)) return '';
    const style = getComputedStyle(node);
    if (node !== from) {
      if (style.display === 'none' || style.visibility !== 'visible' || node.ariaHidden === 'true') return '';
      const label = folded(node.getAttribute('aria-label'));
      if (label !== '') return ` ${label} `;
      if (node instanceof HTMLImageElement) return ` ${node.alt} `;
      if (node instanceof HTMLSelectElement) return ` ${node.selectedOptions[0]?.text ?? ''} `;
      if (node instanceof HTMLInputElement)
        return /^(?:checkbox|radio|hidden|password)$/.test(node.type) ? '' : ` ${node.value} `;
      if (node instanceof SVGElement)
        return folded(node.querySelector(':scope > title')?.textContent) || svgText(node);
    }
    const children =
      node instanceof HTMLSlotElement && node.assignedNodes().length > 0
        ? node.assignedNodes()
        : (node.shadowRoot?.childNodes ?? node.childNodes);
    const inner = [...children].map((child) => contentOf(child, from)).join('');
    const whole = `${pseudoText(node, '::before')}${inner}${pseudoText(node, '::after')}`;
    return style.display.startsWith('inline') && style.display !== 'inline-block' ? whole : ` ${whole} `;
  }

  function svgText(svg: Element): string {
    return [...svg.querySelectorAll('text')].map((each) => each.textContent).join(' ');
  }

  function nativeLabel(): string {
    if (element instanceof HTMLInputElement && /^(?:submit|button|reset|image)$/.test(element.type)) {
      const byDefault = { submit: 'Submit', image: 'Submit', reset: 'Reset' }[element.type] ?? '';
      return folded(element.value) || folded(element.alt) || folded(element.title) || byDefault;
    }
    if ('labels' in element && element.labels instanceof NodeList && element.labels.length > 0) {
      return folded(
        [...element.labels]
          .map((label) =>
            [...label.childNodes]
              .map((child) =>
                child.contains(element) && child !== element ? withoutField(child) : own(child),
              )
              .join(''),
          )
          .join(' '),
      );
    }
    if (element instanceof HTMLImageElement || element instanceof HTMLAreaElement) return folded(element.alt);
    const teller = { fieldset: 'legend', table: 'caption', figure: 'figcaption', svg: 'title' }[
      element.localName
    ];
    return teller === undefined ? '' : folded(element.querySelector(`:scope > ${teller}`)?.textContent);
  }

  function own(node: Node): string {
    return node === element ? '' : contentOf(node, element);
  }

  function withoutField(node: Node): string {
    return [...node.childNodes]
      .map((child) => (child.contains(element) && child !== element ? withoutField(child) : own(child)))
      .join('');
  }

  const root = element.getRootNode();
  const ids = (element.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter((id) => id !== '');
  if (ids.length > 0 && (root instanceof Document || root instanceof ShadowRoot)) {
    const tellers = ids.map((id) => root.getElementById(id)).filter((teller) => teller !== null);
    const told = folded(
      tellers
        .map((teller) => folded(teller.getAttribute('aria-label')) || contentOf(teller, teller))
        .join(' '),
    );
    if (told !== '') return told;
  }
  const label = folded(element.getAttribute('aria-label')) || nativeLabel();
  if (label !== '') return label;
  const content = element.matches(namedByContent) ? folded(contentOf(element, element)) : '';
  return content || folded(element.getAttribute('title')) || folded(element.getAttribute('placeholder'));
}
