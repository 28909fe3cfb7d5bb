import { describe, expect, it } from 'vitest';
import { readCandidate } from '../../../src/browser/locating/read-candidate.ts';

describe('a candidate', () => {
  it.each([
    ['#buy', '#buy'],
    ['div > a:hover', 'div > a:hover'],
    ['text=Buy', 'text=Buy'],
    ['role=button[name="Buy"]', 'role=button[name="Buy"]'],
    [
      'internal:role=button[name="Buy >> now"i] >> nth=0',
      'internal:role=button[name="Buy >> now"i] >> nth=0',
    ],
    ['#a >> //b >> nth=-1', '#a >> //b >> nth=-1'],
    ['text=/buy.*now/i', 'text=/buy.*now/i'],
    ["text=Don't", "text=Don't"],
  ])('that Playwright understands is left to it as it is: %s', (written, playwright) => {
    expect(readCandidate(written).playwright).toBe(playwright);
  });

  it.each([
    ['name=user', 'css=[name="user"]'],
    ['id=a"b\\', 'css=[id="a\\"b\\\\"]'],
    ['testid=buy', 'css=[data-testid="buy"]'],
    ['placeholder=Search', 'css=[placeholder*="Search" i]'],
    ['placeholder="Search"', 'css=[placeholder="Search"]'],
    ['label=Mail', 'internal:label="Mail"i'],
    ['label="Mail"', 'internal:label="Mail"s'],
    ['link=Log  in', 'linkText="Log in"'],
    ['linkText=Say "hi"', 'linkText="Say \\"hi\\""'],
    ['partialLinkText=Log', 'partialLinkText="Log"'],
    ['aria/Buy now', 'accessibleName="Buy now"'],
    ['aria/Buy "now"[role="button"]', 'internal:role=button[name="Buy \\"now\\""s]'],
    ['aria/[role="form"]', 'internal:role=form'],
    ['aria/[name="Buy"][role=\'image\']', 'internal:role=img[name="Buy"s]'],
    ['aria/Buy[role="StaticText"]', 'accessibleName="Buy"'],
    ['text/Buy', 'internal:text="Buy"i'],
    ['xpath///*[@id="a"]', 'xpath=//*[@id="a"]'],
    ['xpath/html/body', 'xpath=html/body'],
    ['pierce/#a', 'css=#a'],
    ['x-app >> aria/Buy', 'x-app >> accessibleName="Buy"'],
    ["aria/Don't >> pierce/b", 'accessibleName="Don\'t" >> css=b'],
    ['x-app >>> button', 'x-app >> button'],
  ])('of a recording is told to Playwright in its own words: %s', (written, playwright) => {
    const read = readCandidate(written);
    expect(read.playwright).toBe(playwright);
    expect(read.written).toBe(written);
  });

  it.each([
    ['#buy', [{ by: 'css', what: '#buy' }]],
    ['css=a[title="x >> y"]', [{ by: 'css', what: 'a[title="x >> y"]' }]],
    ['(//a)[2]', [{ by: 'xpath', what: '(//a)[2]' }]],
    ['"Buy"', [{ by: 'text', what: 'Buy', isWhole: true }]],
    ['text=Buy  now', [{ by: 'text', what: 'Buy now', isWhole: false }]],
    [
      'ul >> li >> nth=2',
      [
        { by: 'css', what: 'ul' },
        { by: 'css', what: 'li' },
        { by: 'nth', at: 2 },
      ],
    ],
    ['role=button', null],
    ['a >> role=button', null],
    ['text=/buy/', null],
    ["text=Don't", null],
    ['nth=-1', null],
    ['internal:control=enter-frame', null],
    ['', null],
  ])('is looked for by the page where it can: %s', (written, inPage) => {
    expect(readCandidate(written).inPage).toEqual(inPage);
  });
});
