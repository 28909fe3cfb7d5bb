import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { saveCredentials } from '../../../src/agent/credentials/credentials.ts';
import { FakeBridge } from '../../support/fake-bridge.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { doctorScene } from './doctor-scene.ts';

/** A home of one's own, with files in it that only its owner may read. */
async function homeWith(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const home = await tempFolder();
  await chmod(home, 0o700);
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text, { mode: 0o600 });
  return home;
}

describe('policy', () => {
  it('says that there is none, or what it says', async () => {
    const home = await homeWith();
    const none = await (await doctorScene({ home })).look('policy');
    expect(none).toMatchObject({ status: 'ok', detail: `none (${home}/policy.json is not there)` });
    const ruled = await homeWith({ 'policy.json': '{"hosts":["*.corp.test"],"uploads":false}' });
    expect(await (await doctorScene({ home: ruled })).look('policy')).toMatchObject({
      status: 'ok',
      detail: `${ruled}/policy.json: hosts *.corp.test; uploads false`,
    });
  });

  it.each([
    ['{"hosst":["a.test"]}', 'did you mean hosts?'],
    ['{', 'it is no JSON'],
    ['{"nodeTypes":["klick"]}', '"klick" is no node type'],
  ])('fails for %s, as every start would', async (text, detail) => {
    const home = await homeWith({ 'policy.json': text });
    expect(await (await doctorScene({ home })).look('policy')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(detail),
      fix: expect.stringContaining('docs/operations.md, "Local policy"'),
    });
  });

  it('fails for one that others can write, that is not there, or that takes no runs of this bridge', async () => {
    const home = await homeWith({ 'policy.json': '{"bridges":["https://other.test"]}' });
    const bridge = await FakeBridge.start();
    onTestFinished(() => bridge.close());
    await saveCredentials(home, bridge.credentials());
    expect(await (await doctorScene({ home })).look('policy')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(bridge.url),
      fix: expect.stringContaining('"bridges"'),
    });
    await chmod(join(home, 'policy.json'), 0o666);
    expect(await (await doctorScene({ home })).look('policy')).toMatchObject({
      status: 'failed',
      fix: `Run: chmod go-w ${home}/policy.json`,
    });
    const named = await doctorScene({ home, env: { QUALINET_POLICY: join(home, 'other.json') } });
    expect(await named.look('policy')).toMatchObject({
      status: 'failed',
      fix: expect.stringContaining('--policy (QUALINET_POLICY)'),
    });
  });

  it('warns of --allow-host beside a policy that names a network', async () => {
    const home = await homeWith({ 'policy.json': '{"network":"public"}' });
    const { look } = await doctorScene({ home, env: { QUALINET_ALLOW_HOSTS: 'a.test' } });
    expect(await look('policy')).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('"allowHosts"'),
    });
    expect(await look('network')).toMatchObject({ status: 'ok', detail: 'public' });
  });
});

describe('network', () => {
  it('is what flows of this runner may reach', async () => {
    const plain = await doctorScene({ home: await homeWith() });
    expect(await plain.look('network')).toMatchObject({ status: 'ok', detail: 'lan' });
    const env = { QUALINET_ALLOW_HOSTS: 'localhost:3000', HTTPS_PROXY: 'http://ada:hunter2@proxy.test:3128' };
    const opened = await doctorScene({ home: await homeWith(), env });
    expect((await opened.look('network')).detail).toBe(
      'lan; besides localhost:3000; through proxy.test:3128',
    );
  });

  it('is narrowed by the policy, and not known beside a wrong one', async () => {
    const home = await homeWith({ 'policy.json': '{"network":"public","hosts":["a.test"]}' });
    expect((await (await doctorScene({ home })).look('network')).detail).toBe('public; only a.test');
    const wrong = await homeWith({ 'policy.json': '[]' });
    expect((await (await doctorScene({ home: wrong })).look('network')).status).toBe('skipped');
  });
});

describe('secrets', () => {
  const bound = '{"SHOP_PASSWORD":{"value":"hunter2hunter2","hosts":["shop.test"]}}';
  const unbound = '{"SHOP_PASSWORD":"hunter2hunter2","OTHER":"hunter3hunter3"}';

  async function found(text: string, env: Record<string, string> = {}, mode = 0o600) {
    const home = await homeWith({ 'secrets.json': text });
    const path = join(home, 'secrets.json');
    await chmod(path, mode);
    const result = await (await doctorScene({ home, env: { QUALINET_SECRETS: path, ...env } })).look(
      'secrets',
    );
    expect(JSON.stringify(result)).not.toMatch(/hunter\d/);
    return { ...result, path };
  }

  it('are told by name', async () => {
    const { look } = await doctorScene({ home: await homeWith() });
    expect(await look('secrets')).toMatchObject({ status: 'ok', detail: 'none' });
    expect(await found(bound)).toMatchObject({ status: 'ok', detail: '1: SHOP_PASSWORD' });
    expect(await found(unbound, { QUALINET_ALLOW_HOSTS: 'shop.test' })).toMatchObject({ status: 'ok' });
  });

  it('are a warning when no page is given them, with what to write', async () => {
    const result = await found(unbound);
    expect(result).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('SHOP_PASSWORD, OTHER'),
    });
    expect(result.fix).toContain('"SHOP_PASSWORD": { "value": "…", "hosts": ["app.example.com"] }');
    expect(result.fix).toContain('--allow-host');
  });

  it('fail for a file that is open to others, wrong or not there', async () => {
    const open = await found(bound, {}, 0o644);
    expect(open).toMatchObject({ status: 'failed', fix: `Run: chmod 600 ${open.path}` });
    expect(await found('{"a b":"hunter2hunter2"}')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('entry 1'),
    });
    expect(await found(bound, { QUALINET_SECRETS: '/nowhere/secrets.json' })).toMatchObject({
      status: 'failed',
      detail: 'there is no secrets file /nowhere/secrets.json',
    });
  });
});

describe('audit', () => {
  it('can be written, or made, and is not touched', async () => {
    const home = await homeWith();
    const { look } = await doctorScene({ home });
    expect(await look('audit')).toMatchObject({ status: 'ok', detail: `${home}/audit.jsonl` });
    expect(await readdir(home)).toEqual([]);
    const written = await homeWith({ 'audit.jsonl': '{}\n' });
    expect((await (await doctorScene({ home: written })).look('audit')).status).toBe('ok');
  });

  it('is a warning where it cannot be written, and a failure where the policy requires it', async () => {
    const home = await homeWith();
    await symlink('/etc/hostname', join(home, 'audit.jsonl'));
    expect(await (await doctorScene({ home })).look('audit')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('audit.jsonl cannot be written'),
    });
    const folder = await homeWith({ 'policy.json': '{"audit":"required"}' });
    await mkdir(join(folder, 'audit.jsonl'));
    expect(await (await doctorScene({ home: folder })).look('audit')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('the policy requires it'),
    });
  });
});
