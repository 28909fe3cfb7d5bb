import { describe, expect, it } from 'vitest';
import { chordOf } from '../../../src/browser/actions/key-names.ts';

describe('the keys of a chord', () => {
  it.each([
    ['Enter', ['Enter']],
    ['a', ['a']],
    ['Control+A', ['Control', 'A']],
    ['ControlOrMeta+Shift+ArrowLeft', ['ControlOrMeta', 'Shift', 'ArrowLeft']],
    ['+', ['+']],
    ['Control++', ['Control', '+']],
    ['é', ['é']],
    ['KeyA', ['KeyA']],
    ['Digit7', ['Digit7']],
    ['F12', ['F12']],
    ['f5', ['F5']],
  ])('%s is understood as Playwright and the Recorder write it', (written, keys) => {
    expect(chordOf(written)).toEqual(keys);
  });

  it.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as Selenium writes it
    ['${KEY_ENTER}', ['Enter']],
    ['KEY_PAGE_DOWN', ['PageDown']],
    ['KEY_NUMPAD3', ['Numpad3']],
    ['KEY_N3', ['Numpad3']],
    ['KEY_BKSP', ['Backspace']],
    ['KEY_CTRL+a', ['Control', 'a']],
    ['ctrl+alt+del', ['Control', 'Alt', 'Delete']],
    ['cmd+c', ['Meta', 'c']],
    ['Esc', ['Escape']],
    ['Page Up', ['PageUp']],
    ['left', ['ArrowLeft']],
  ])('%s is understood as Selenium and people write it', (written, keys) => {
    expect(chordOf(written)).toEqual(keys);
  });

  it('tells what is no key, and how keys are called', () => {
    expect(() => chordOf('Control+Foo')).toThrow(/Control\+Foo: "Foo" is no key; keys are called Enter/);
  });
});
