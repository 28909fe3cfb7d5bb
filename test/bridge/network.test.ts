import { describe, expect, it } from 'vitest';
import { network } from '../../src/bridge/runners/wrong-guesses.ts';

describe('what guesses are counted for', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('is for %s: %s', (ip, expected) => {
    expect(network(ip)).toBe(expected);
  });
});
