import { describe, expect, it } from 'vitest';
import { portOf } from '../../src/lib/host-and-port.ts';
import { parseNoProxy } from '../../src/lib/no-proxy.ts';

describe('NO_PROXY', () => {
  it.each<[string, string, boolean]>([
    ['', 'https://example.com', false],
    ['*', 'https://example.com', true],
    ['other.test, *', 'https://example.com', true],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://EXAMPLE.com./x', true],
    ['EXAMPLE.COM', 'https://api.example.com', true],
    ['example.com', 'https://notexample.com', false],
    ['.example.com', 'https://example.com', true],
    ['.example.com', 'https://a.b.example.com', true],
    ['*.example.com', 'https://api.example.com', true],
    ['example.com', 'https://example.com.evil.test', false],
    ['bücher.test', 'https://xn--bcher-kva.test', true],
    ['a.test b.test\tc.test', 'https://b.test', true],
    ['a.test,,b.test', 'https://b.test', true],
    ['example.com:8443', 'https://example.com:8443', true],
    ['example.com:8443', 'https://example.com', false],
    ['example.com:443', 'https://example.com', true],
    ['example.com:80', 'http://example.com', true],
    ['*:8443', 'https://anything.test:8443', true],
    ['10.1.2.3', 'http://10.1.2.3:4870', true],
    ['10.0.0.0/8', 'https://10.200.0.1', true],
    ['10.0.0.0/8', 'https://11.0.0.1', false],
    ['192.168.1.0/28', 'https://192.168.1.15', true],
    ['192.168.1.0/28', 'https://192.168.1.16', false],
    ['10.0.0.0/8:8080', 'http://10.1.1.1:8080', true],
    ['10.0.0.0/8:8080', 'http://10.1.1.1', false],
    ['127.0.0.1', 'http://0x7f000001/', true],
    ['10.0.0.0/8', 'https://ten.test', false],
    ['::1', 'http://[::1]:3000', true],
    ['[::1]:3000', 'http://[0:0::1]:3000', true],
    ['[::1]:3000', 'http://[::1]:4000', false],
    ['fd00::/8', 'https://[fd12:3456::1]', true],
    ['[fd00::]/8', 'https://[fe80::1]', false],
    ['localhost', 'http://localhost:4870', true],
    ['localhost', 'http://127.0.0.1:4870', false],
    ['10.0.0.0/99, ???, http://x, example.com', 'https://example.com', true],
    ['10.0.0.0/99, ???, http://x', 'https://example.com', false],
  ])('"%s" for %s is %s', (text, url, isDirect) => {
    const asked = new URL(url);
    expect(parseNoProxy(text)(asked.hostname, portOf(asked))).toBe(isDirect);
  });
});
