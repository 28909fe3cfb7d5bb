import { describe, expect, it } from 'vitest';
import { cut, StepFailure, stepErrorFrom } from '../../src/browser/step/step-error.ts';
import { limits } from '../../src/protocol/limits.ts';

const playwright = (message: string, name = 'Error'): Error => Object.assign(new Error(message), { name });

describe('the error of a step', () => {
  it('keeps what an action said itself', () => {
    expect(stepErrorFrom(new StepFailure('not_found', 'nothing there'))).toEqual({
      kind: 'not_found',
      message: 'nothing there',
    });
  });

  it('has no colours, call logs, browser logs or names of functions', () => {
    const message =
      'page.click: Timeout 300ms exceeded.\nCall log:\n\u001b[2m  - waiting for locator(\u001b[22m\n\nBrowser logs:\n/home/me/secret';
    expect(stepErrorFrom(playwright(message, 'TimeoutError'))).toEqual({
      kind: 'timeout',
      message: 'Timeout 300ms exceeded.',
    });
  });

  it('names network errors in words, with the code', () => {
    expect(stepErrorFrom(playwright('page.goto: net::ERR_NAME_NOT_RESOLVED at http://no.test/'))).toEqual({
      kind: 'navigation',
      message: 'the host name was not found: http://no.test/ (ERR_NAME_NOT_RESOLVED)',
    });
    expect(
      stepErrorFrom(playwright('page.goto: net::ERR_CERT_DATE_INVALID at https://a.test/'))?.message,
    ).toMatch(/^the certificate of the server is not trusted/);
    expect(stepErrorFrom(playwright('page.goto: net::ERR_BLOCKED_BY_CLIENT at http://a.test/'))?.kind).toBe(
      'blocked',
    );
    expect(stepErrorFrom(playwright('page.goto: net::ERR_NEW at http://a.test/'))?.message).toBe(
      'the network failed: http://a.test/ (ERR_NEW)',
    );
  });

  it('tells a crash from everything else', () => {
    expect(stepErrorFrom(playwright('page.evaluate: Target crashed \nBrowser logs:\n…'))).toEqual({
      kind: 'browser_crashed',
      message: 'the page crashed',
    });
    expect(
      stepErrorFrom(playwright('locator.click: Target page, context or browser has been closed'))?.kind,
    ).toBe('browser_crashed');
  });

  it('is nothing for a bug, which belongs thrown', () => {
    expect(stepErrorFrom(new TypeError('x is not a function'))).toBeNull();
    expect(stepErrorFrom('thrown')).toBeNull();
  });

  it('is never longer than a result may hold', () => {
    const error = stepErrorFrom(new StepFailure('assertion', 'x'.repeat(50_000)));
    expect(error?.message).toHaveLength(limits.textLength);
    expect(cut('abc', 3)).toBe('abc');
    expect(cut('abcd', 3)).toBe('ab…');
  });
});
