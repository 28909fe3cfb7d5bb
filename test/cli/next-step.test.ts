import { describe, expect, it } from 'vitest';
import { nextStep } from '../../src/cli/next-step.ts';

describe('what a person types after pairing', () => {
  const user = { program: '/usr/bin/qualinet', isRoot: false, isRootAllowed: false };
  const throughNpx = '/home/ada/.npm/_npx/1b2c/node_modules/.bin/qualinet';

  it('is the command that starts the runner', () => {
    expect(nextStep(user)).toBe('Next: qualinet start');
  });

  it.each([throughNpx, '/home/ada/shop/node_modules/.bin/qualinet', 'C:\\npm-cache\\_npx\\1b\\qualinet.js'])(
    'begins with npx where %s was called, which is in no PATH',
    (program) => {
      expect(nextStep({ ...user, program })).toBe('Next: npx @qualitas-id/qualinet start');
    },
  );

  it('as root is the service, because start would refuse, unless whoever calls says that root may', () => {
    const root = { ...user, isRoot: true };
    expect(nextStep(root)).toContain('Next: qualinet service install\n');
    expect(nextStep(root)).toContain('qualinet start --allow-root');
    expect(nextStep({ ...root, isRootAllowed: true })).toBe('Next: qualinet start');
  });

  it('is to install it first where root came through npx, whose cache no service can live from', () => {
    const text = nextStep({ program: throughNpx, isRoot: true, isRootAllowed: false });
    expect(text).toContain('Next: npm install --global @qualitas-id/qualinet && qualinet service install\n');
    expect(text).toContain('npx @qualitas-id/qualinet start --allow-root');
  });
});
