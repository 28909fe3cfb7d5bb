import { describe, expect, it } from 'vitest';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';

const mark = 'onclick="document.body.dataset.clicked = this.id"';
const markInShadow = 'onclick="document.body.dataset.clicked = this.id; event.preventDefault()"';

const site = browserTests({
  '/form': `<h1>Shop</h1>
    <label for="mail">Your mail</label><input id="mail" name="mail" placeholder="you@example.com" ${mark}>
    <label><input type="checkbox" id="terms" ${mark}> I agree</label>
    <button id="dots" aria-label="More options" ${mark}>…</button>
    <span id="told">Total price</span><button id="told-by" aria-labelledby="told" ${mark}>42</button>
    <button id="icon" ${mark}><img alt="Print page" src="data:,"></button>
    <button id="nested" ${mark}><b>Buy</b> <i>it
       now</i></button>
    <button id="dressed" class="dressed" ${mark}>Send</button>
    <style>.dressed::before { content: "→ " } .loud { text-transform: uppercase }</style>
    <input id="send" type="submit" value="Send form" ${mark}>
    <input id="reset" type="reset" ${mark}>
    <div role="button" id="role" data-testid="the-role" ${mark}>Do "it"</div>
    <button id="titled" title="Close window" ${mark}></button>
    <p id="say" ${mark}>Don't <em>panic</em> here</p>
    <a href="#1" id="first" ${mark}>Read more</a><a href="#2" id="second" ${mark}>Read more about it</a>
    <a href="#3" id="loud" class="loud" ${mark}>Sign out</a>
    <div id="plain-text" ${mark}>Just words</div>`,
  '/shadow': `<x-outer id="host"></x-outer><button id="light" class="go" ${mark}>Light</button><script>
    const outer = document.querySelector('x-outer').attachShadow({ mode: 'open' });
    outer.innerHTML = \`<section><button id="one" class="go" ${markInShadow}>First</button><x-inner></x-inner></section>\`;
    const inner = outer.querySelector('x-inner').attachShadow({ mode: 'open' });
    inner.innerHTML = \`<p><button id="two" class="go" name="deep" ${markInShadow}>Second deep</button>
      <a id="link" href="#" ${markInShadow}>Deep link</a>
      <label for="field">Deep field</label><input id="field" ${markInShadow}></p>\`;</script>`,
  '/late-shadow': `<script>setTimeout(() => {
    const host = document.body.appendChild(document.createElement('x-late')).attachShadow({ mode: 'open' });
    host.innerHTML = '<main><button id="in" ${mark.replaceAll("'", "\\'")}>In</button></main>';
  }, 200)</script>`,
  '/meant': `<button id="buy-now" class="primary large">Buy now</button><button hidden id="buy">Buy</button>
    <input name="user_email" placeholder="Mail"><p>Nothing of interest</p>`,
  '/several': `<button class="b" disabled hidden>1</button><button class="b" disabled>2</button>`,
});

/** Clicks by one selector after the other, and tells the problems: who was clicked instead, or why nobody was. */
async function problemsOf(path: string, spellings: readonly (readonly [selector: string, id: string])[]) {
  const steps = spellings.flatMap(([selector, id]): ShortStep[] => [
    ['click', { selector, timeoutMs: 2_000 }],
    ['extract', { selector: `body[data-clicked="${id}"]`, variable: 'CLICKED', timeoutMs: 500 }],
  ]);
  const { result } = await site.run([['navigate', { url: site.url(path) }], ...steps]);
  return result.stepsResult
    .filter(({ error }) => error !== undefined)
    .map(({ nodeId, error }) => [spellings[Math.ceil(Number(nodeId) / 2) - 1]?.[0], error]);
}

describe('a spelling', () => {
  it('of Selenium finds what Selenium means by it', async () => {
    const problems = await problemsOf('/form', [
      ['id=mail', 'mail'],
      ['id=terms', 'terms'],
      ['name=mail', 'mail'],
      ['css=#dots', 'dots'],
      ["xpath=//input[@type='submit']", 'send'],
      ["//button[contains(., 'Send')]", 'dressed'],
      ["(//a[contains(text(),'Read')])[2]", 'second'],
      ['linkText=Read more', 'first'],
      ['link=Read more about it', 'second'],
      ['partialLinkText=about', 'second'],
      ['linkText=Sign out', 'loud'],
      ['linkText=SIGN OUT', 'loud'],
    ]);
    expect(problems).toEqual([]);
  });

  it('of the Recorder finds elements by their accessible name, with and without a role', async () => {
    const problems = await problemsOf('/form', [
      ['aria/Your mail', 'mail'],
      ['aria/I agree', 'terms'],
      ['aria/More options', 'dots'],
      ['aria/Total price', 'told-by'],
      ['aria/Print page', 'icon'],
      ['aria/Buy it now', 'nested'],
      ['aria/→ Send', 'dressed'],
      ['aria/Send form', 'send'],
      ['aria/Reset', 'reset'],
      ['aria/Do "it"', 'role'],
      ['aria/Close window', 'titled'],
      ['aria/Read more', 'first'],
      ['aria/Just words', 'plain-text'],
      ['aria/Do "it"[role="button"]', 'role'],
      ['aria/Read more about it[role="link"]', 'second'],
      ['aria/[name="Print page"][role="button"]', 'icon'],
      ['text/Just words', 'plain-text'],
      ["text/Don't panic here", 'say'],
      ['xpath///*[@id="icon"]', 'icon'],
      ['pierce/#nested', 'nested'],
    ]);
    expect(problems).toEqual([]);
  });

  it('of our own or of Playwright finds what it says', async () => {
    const problems = await problemsOf('/form', [
      ['label=mail', 'mail'],
      ['label="Your mail"', 'mail'],
      ['placeholder=YOU@', 'mail'],
      ['placeholder="you@example.com"', 'mail'],
      ['testid=the-role', 'role'],
      ['title=close', 'titled'],
      ['text=just WORDS', 'plain-text'],
      ['text="Just words"', 'plain-text'],
      ["text=Don't panic", 'say'],
      ['text=/^Just/', 'plain-text'],
      ['role=button[name="Buy it now"]', 'nested'],
      ['button:has-text("buy")', 'nested'],
      ['label >> #terms', 'terms'],
      ['a >> nth=1', 'second'],
      ['a >> nth=-1', 'loud'],
      ['input:right-of(label) >> visible=true', 'mail'],
    ]);
    expect(problems).toEqual([]);
  });

  it('leads through shadow roots, by itself and in chains', async () => {
    const problems = await problemsOf('/shadow', [
      ['#two', 'two'],
      ['pierce/#two', 'two'],
      ['.go', 'light'],
      ['.go >> nth=1', 'one'],
      ['.go >> nth=2', 'two'],
      ['name=deep', 'two'],
      ['x-outer section > button', 'one'],
      ['x-outer x-inner button.go', 'two'],
      ['x-outer >> .go', 'one'],
      ['x-outer >> x-inner >> button', 'two'],
      ['x-outer >>> x-inner >>> button', 'two'],
      ['x-inner >> p > button', 'two'],
      ['text=second', 'two'],
      ['"First"', 'one'],
      ['text/Second deep', 'two'],
      ['linkText=Deep link', 'link'],
      ['aria/Second deep', 'two'],
      ['aria/Deep field', 'field'],
      ['x-outer >> aria/First', 'one'],
      ['x-outer >> aria/Second deep[role="button"]', 'two'],
      ['label=Deep field', 'field'],
      ['x-outer >> text=First', 'one'],
      ['section .go, x-inner .go >> nth=1', 'two'],
    ]);
    expect(problems).toEqual([]);
  });

  it('as a list leads from one shadow root into the next', async () => {
    const { result } = await site.run([
      ['navigate', { url: site.url('/shadow') }],
      ['click', { selectors: [['x-outer', 'x-inner', 'aria/Second deep'], ['#light']] }],
    ]);
    expect(result.stepsResult[1]?.logs).toBe('Clicked x-outer >> x-inner >> aria/Second deep');
  });

  it('waits for shadow roots that come late', async () => {
    expect(
      await problemsOf('/late-shadow', [
        ['x-late main > button', 'in'],
        ['x-late >> aria/In', 'in'],
      ]),
    ).toEqual([]);
  });
});

describe('an element that is not there', () => {
  const errorOf = async (path: string, fields: Record<string, unknown>) => {
    const { result } = await site.run([
      ['navigate', { url: site.url(path) }],
      ['click', { timeoutMs: 300, ...fields }],
    ]);
    return result.stepsResult[1]?.error;
  };

  it.each([
    ['#buy-now-button', 'nearest: <button#buy-now.primary.large> "Buy now"'],
    ['#buynow', 'nearest: <button#buy-now.primary.large> "Buy now"'],
    ['role=link[name="Buy now!"]', 'nearest: <button#buy-now.primary.large> "Buy now"'],
    ['xpath=//button[text()="Buy nwo"]', 'nearest: <button#buy-now.primary.large> "Buy now"'],
    ['name=userEmail', 'nearest: <input> "Mail"'],
    ['linkText=Buy', 'nearest: <button#buy-now.primary.large> "Buy now"'],
  ])('is told with the one a person would take for it: %s', async (selector, nearest) => {
    expect(await errorOf('/meant', { selector })).toBe(
      `no element was found within 300 ms: ${selector} matched nothing; ${nearest}`,
    );
  });

  it('is told alone where nothing looks like it', async () => {
    expect(await errorOf('/meant', { selector: '#checkout' })).toBe(
      'no element was found within 300 ms: #checkout matched nothing',
    );
  });

  it('is told with how many there are that are not ready', async () => {
    expect(await errorOf('/several', { selector: '.b' })).toBe(
      'no element was ready within 300 ms: .b (second of 2) is disabled',
    );
  });

  it('by a selector that was passed over is reported with a better order of all', async () => {
    const { result } = await site.run([
      ['navigate', { url: site.url('/meant') }],
      ['click', { selector: '#old', selectors: ['aria/Older', ['body', '#buy-now'], 'text=Buy'] }],
    ]);
    expect(result.stepsResult[1]?.healed).toEqual({
      selector: 'body >> #buy-now',
      insteadOf: '#old',
      proposed: ['body >> #buy-now', '#old', 'aria/Older', 'text=Buy'],
    });
  });
});
