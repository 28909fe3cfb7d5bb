// What follows runs IN THE PAGE, as parts of other functions (composedForPage): none of it may use anything from outside itself. The rules for
// "visible", "disabled" and an element's text are Playwright's, so that what is found can be acted on.

/** Has a box, its own or that of what is in it, and no style hides it. */
export function isShownInPage(element: Element): boolean {
  const style = getComputedStyle(element);
  if (style.display === 'contents') {
    return [...element.childNodes].some((child) => {
      if (child instanceof Element) return isShownInPage(child);
      if (!(child instanceof Text)) return false;
      const range = document.createRange();
      range.selectNode(child);
      const { width, height } = range.getBoundingClientRect();
      return width > 0 && height > 0;
    });
  }
  if (style.visibility !== 'visible' || !element.checkVisibility()) return false;
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0;
}

/** Takes nothing from a person, by itself or by the fieldset around it. */
export function isDisabledInPage(element: Element): boolean {
  return element.matches('button:disabled,input:disabled,select:disabled,textarea:disabled,option:disabled');
}

/** The text of all that is in it, open shadow trees included, white space as it is. */
export function textInPage(node: Node): string {
  if (node instanceof Element) {
    if (['SCRIPT', 'NOSCRIPT', 'STYLE'].includes(node.nodeName)) return '';
    if (node instanceof HTMLInputElement && ['submit', 'button', 'reset'].includes(node.type))
      return node.value;
  }
  const children = [
    ...node.childNodes,
    ...(node instanceof Element ? [...(node.shadowRoot?.childNodes ?? [])] : []),
  ];
  return children
    .map((child) => (child instanceof Text ? child.data : child instanceof Element ? textInPage(child) : ''))
    .join('');
}

/** How people are told of it: `<button#buy.large>`. */
export function tagInPage(element: Element): string {
  const classes = [...element.classList].slice(0, 2).map((className) => `.${className}`);
  return `<${element.localName}${element.id === '' ? '' : `#${element.id}`}${classes.join('')}>`;
}
