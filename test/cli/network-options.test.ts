import { describe, expect, it } from 'vitest';
import { readEngineConfig } from '../../src/agent/config/agent-config.ts';
import { networkOptions, networkSummary } from '../../src/cli/network-options.ts';

const options = (
  env: Record<string, string>,
  chooser: Parameters<typeof networkOptions>[1] = 'self-hosted',
) => networkOptions(readEngineConfig(env), chooser, null);

describe('what flows may reach', () => {
  it.each([
    ['self-hosted', 'lan'],
    ['managed', 'public'],
    ['owner', 'open'],
  ] as const)('depends on who chooses them, unless it is said: %s, %s', (chooser, profile) => {
    expect(options({}, chooser).rules.profile).toBe(profile);
    expect(options({ QUALINET_NETWORK: 'public' }, chooser).rules.profile).toBe('public');
  });

  it('is told in one line, which holds no password', () => {
    expect(networkSummary(options({}))).toBe('lan');
    const given = options({
      QUALINET_ALLOW_HOSTS: 'localhost:3000,10.0.0.0/8',
      QUALINET_ONLY_HOSTS: '*.corp.example',
      QUALINET_BROWSER_PROXY: 'http://me:hunter2@proxy.corp.example:3128',
    });
    expect(networkSummary(given)).toBe(
      'lan; besides localhost:3000, 10.0.0.0/8; only *.corp.example; through proxy.corp.example:3128',
    );
  });

  it('is reached through the proxy of the runner, another one, or none', () => {
    const own = { HTTP_PROXY: 'http://a:1', HTTPS_PROXY: 'http://b:2', NO_PROXY: '.corp' };
    expect(options(own).upstream).toEqual({
      httpProxy: 'http://a:1',
      httpsProxy: 'http://b:2',
      noProxy: '.corp',
      trust: null,
    });
    expect(options({ ...own, QUALINET_BROWSER_PROXY: 'c:3' }).upstream).toMatchObject({
      httpProxy: 'http://c:3',
      httpsProxy: 'http://c:3',
    });
    expect(options({ ...own, QUALINET_BROWSER_PROXY: 'none' }).upstream).toMatchObject({
      httpProxy: '',
      httpsProxy: '',
    });
  });
});
