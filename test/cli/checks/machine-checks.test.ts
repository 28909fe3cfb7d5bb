import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { credentialsPath, saveCredentials } from '../../../src/agent/credentials/credentials.ts';
import { whyNot } from '../../../src/cli/checks/sandbox.ts';
import { lockFolder } from '../../../src/lib/folder-lock.ts';
import { FakeBridge, workerSecret } from '../../support/fake-bridge.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { doctorScene, files } from './doctor-scene.ts';

const gib = 1024 ** 3;
const mib = 1024 ** 2;

describe('node', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.3', 'failed'],
    ['18.20.0', 'failed'],
  ])('%s is %s', async (nodeVersion, status) => {
    const { look } = await doctorScene({ machine: { nodeVersion } });
    expect(await look('node')).toMatchObject({ status, detail: expect.stringContaining(nodeVersion) });
  });
});

describe('home', () => {
  it('is good when it is private, and when it is not there but can be made', async () => {
    const folder = await tempFolder();
    await chmod(folder, 0o700);
    expect(await (await doctorScene({ home: folder })).look('home')).toMatchObject({ status: 'ok' });
    const missing = join(folder, 'a', 'b');
    const found = await (await doctorScene({ home: missing })).look('home');
    expect(found).toMatchObject({ status: 'ok', detail: `${missing} is not there yet and can be made` });
  });

  it('may not be read by others, nor written', async () => {
    const folder = await tempFolder();
    await chmod(folder, 0o755);
    const { look } = await doctorScene({ home: folder });
    expect(await look('home')).toMatchObject({ status: 'warning', fix: `chmod 700 ${folder}` });
    await chmod(folder, 0o777);
    expect(await look('home')).toMatchObject({ status: 'failed', fix: `chmod 700 ${folder}` });
  });

  it('must be a folder of this user', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'file'), '');
    const file = await doctorScene({ home: join(folder, 'file') });
    expect(await file.look('home')).toMatchObject({
      status: 'failed',
      fix: expect.stringContaining('QUALINET_HOME'),
    });
    const below = await doctorScene({ home: join(folder, 'file', 'home') });
    expect((await below.look('home')).status).toBe('failed');
    await chmod(folder, 0o700);
    const foreign = await doctorScene({ home: folder, machine: { uid: 4711, userName: 'ada' } });
    expect(await foreign.look('home')).toMatchObject({ status: 'warning', fix: `chown -R ada ${folder}` });
  });
});

describe('disk', () => {
  it.each([
    [50 * gib, 'ok', undefined],
    [100 * mib, 'warning', 'Free space there, or set QUALINET_SPOOL_MIB=50'],
    [3 * mib, 'failed', expect.stringContaining('QUALINET_HOME')],
  ])('with %d bytes free is %s', async (freeBytes, status, fix) => {
    const { look } = await doctorScene({
      machine: { room: async () => ({ totalBytes: 99 * gib, freeBytes }) },
    });
    const found = await look('disk');
    expect(found.status).toBe(status);
    expect(found.fix).toEqual(fix);
  });

  it('is asked of the real file system, and skipped where that does not tell', async () => {
    expect((await (await doctorScene()).look('disk')).detail).toMatch(/^\d+(\.\d)? [MG]iB free for/);
    const { look } = await doctorScene({ machine: { room: async () => null } });
    expect(await look('disk')).toMatchObject({
      status: 'skipped',
      detail: expect.stringContaining('cannot be known'),
    });
  });
});

describe('pairing', () => {
  async function paired() {
    const bridge = await FakeBridge.start();
    onTestFinished(() => bridge.close());
    const scene = await doctorScene();
    await saveCredentials(scene.home, bridge.credentials());
    return { ...scene, bridge, path: credentialsPath(scene.home) };
  }

  it('says who this runner is, and nothing of its key', async () => {
    const { look, bridge } = await paired();
    const found = await look('pairing');
    expect(found).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining(`"the runner" (self-hosted, workspace default) with ${bridge.url}`),
    });
  });

  it('is a warning where there is none, unless WORKER_SECRET makes one', async () => {
    expect(await (await doctorScene()).look('pairing')).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('qualinet pair CODE --api'),
    });
    const env = { WORKER_SECRET: workerSecret.reveal() };
    expect(await (await doctorScene({ env })).look('pairing')).toMatchObject({
      status: 'failed',
      fix: expect.stringContaining('API_BASE_URL'),
    });
    const enrolling = await doctorScene({ env: { ...env, API_BASE_URL: 'https://bridge.example' } });
    expect((await enrolling.look('pairing')).status).toBe('ok');
  });

  it('fails for a file that others can read, with the command that mends it', async () => {
    const { look, path } = await paired();
    await chmod(path, 0o644);
    expect(await look('pairing')).toMatchObject({ status: 'failed', fix: `Run: chmod 600 ${path}` });
  });

  it.each([
    ['no JSON', 'holds no valid JSON'],
    ['{"version":1}', 'not a credentials file of this version'],
    ['{"version":1,"redisUrl":"redis://10.0.0.1"}', 'holds a Redis address (redisUrl)'],
  ])('fails for a file that holds %s', async (text, detail) => {
    const { look, path } = await paired();
    await writeFile(path, text, { mode: 0o600 });
    const found = await look('pairing');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining(detail) });
    expect(found.fix).toContain('qualinet pair');
  });

  it('fails for a symbolic link', async () => {
    const { home, look } = await doctorScene();
    await symlink('/etc/hostname', credentialsPath(home));
    expect(await look('pairing')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('symbolic link'),
    });
  });
});

describe('runner', () => {
  it('says which process is at work on this home', async () => {
    const { home, look } = await doctorScene();
    expect((await look('runner')).detail).toBe('none on this home');
    const lock = await lockFolder(home, 'a runner');
    onTestFinished(() => lock.release());
    expect((await look('runner')).detail).toContain(`process ${process.pid}`);
  });
});

describe('shm', () => {
  it.each([
    [64 * mib, 'warning'],
    [gib, 'ok'],
  ])('of %d bytes is %s', async (totalBytes, status) => {
    const { look } = await doctorScene({ machine: { room: async () => ({ totalBytes, freeBytes: 0 }) } });
    const found = await look('shm');
    expect(found.status).toBe(status);
    if (status === 'warning') expect(found.fix).toMatch(/--shm-size=1g.*--ipc=host/);
  });

  it('is skipped where there is none', async () => {
    expect((await (await doctorScene({ machine: { platform: 'darwin' } })).look('shm')).status).toBe(
      'skipped',
    );
    expect((await (await doctorScene({ machine: { room: async () => null } })).look('shm')).status).toBe(
      'skipped',
    );
  });
});

describe('memory', () => {
  const browser = { QUALINET_BROWSER: '/usr/lib/chromium/chromium-headless-shell' };
  const meminfo = 'MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n';
  const inGroup = (limit: string, used: number) => ({
    '/proc/meminfo': meminfo,
    '/proc/self/cgroup': '0::/\n',
    '/sys/fs/cgroup/memory.current': `${used}\n`,
    '/sys/fs/cgroup/memory.max': `${limit}\n`,
  });

  it.each([
    ['the machine', { '/proc/meminfo': meminfo }, 'ok', 'enough for 12 runs'],
    ['a group without a limit', inGroup('max', gib), 'ok', 'enough for 12 runs'],
    [
      'a group of version 2',
      inGroup(String(gib), 256 * mib),
      'ok',
      '768 MiB free of 1.0 GiB (the limit of its control group): enough for 2 runs',
    ],
    [
      'a group of version 1',
      {
        '/proc/meminfo': meminfo,
        '/proc/self/cgroup': '5:memory:/docker/1\n',
        '/sys/fs/cgroup/memory/memory.usage_in_bytes': '0\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${400 * mib}\n`,
      },
      'ok',
      'enough for 1 run ',
    ],
    [
      'a group that is full',
      inGroup(String(gib), 900 * mib),
      'warning',
      'too little for a run at the moment',
    ],
    ['a group that is too small', inGroup(String(200 * mib), mib), 'failed', 'not enough for a single run'],
  ])('of %s', async (_what, texts, status, detail) => {
    const { look } = await doctorScene({ env: browser, machine: files(texts) });
    const found = await look('memory');
    expect(found).toMatchObject({ status, detail: expect.stringContaining(detail) });
    expect(found.detail).toContain('330 MiB for each run');
    if (status !== 'ok') expect(found.fix).toContain('--memory');
  });

  it('counts a full Chromium where no smaller browser is known', async () => {
    const { look } = await doctorScene({
      env: { QUALINET_BROWSER: '/no/such' },
      machine: files({ '/proc/meminfo': meminfo }),
    });
    expect((await look('memory')).detail).toContain('520 MiB for each run');
  });
});

describe('processors', () => {
  it.each([
    [{}, 'ok', '4: --concurrency 4 for the shortest runs, 8'],
    [{ '/sys/fs/cgroup/cpu.max': '250000 100000\n' }, 'ok', '4, of which 2.5 may be used: --concurrency 2'],
    [{ '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 'ok', '4: --concurrency 4'],
    [{ '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 'warning', 'of which 0.5 may be used'],
    [
      {
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      'warning',
      'of which 0.5 may be used',
    ],
  ])('%j is %s', async (texts, status, detail) => {
    const { look } = await doctorScene({
      machine: { processors: 4, ...files(texts as Record<string, string>) },
    });
    expect(await look('processors')).toMatchObject({ status, detail: expect.stringContaining(detail) });
  });
});

describe('files', () => {
  const limits = (soft: string) =>
    files({
      '/proc/self/limits': `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}        524288      files\n`,
    });

  it.each([
    ['65536', 'ok'],
    ['unlimited', 'ok'],
    ['256', 'warning'],
    ['64', 'failed'],
  ])('%s is %s', async (soft, status) => {
    const { look } = await doctorScene({ machine: limits(soft) });
    expect((await look('files')).status).toBe(status);
  });

  it('is skipped where the system does not tell', async () => {
    expect((await (await doctorScene({ machine: files({}) })).look('files')).status).toBe('skipped');
  });
});

describe('service', () => {
  const system = '/etc/systemd/system';
  const user = '/home/ada/.config/systemd/user';
  it.each([
    [[], 'skipped', undefined],
    [[`${system}/qualinet.service`], 'warning', 'systemctl enable --now qualinet.service'],
    [[`${system}/qualinet.service`, `${system}/multi-user.target.wants/qualinet.service`], 'ok', undefined],
    [[`${user}/qualinet.service`], 'warning', 'systemctl --user enable --now qualinet.service'],
    [
      [`${user}/qualinet.service`, `${user}/default.target.wants/qualinet.service`],
      'warning',
      'loginctl enable-linger ada',
    ],
    [
      [
        `${user}/qualinet.service`,
        `${user}/default.target.wants/qualinet.service`,
        '/var/lib/systemd/linger/ada',
      ],
      'ok',
      undefined,
    ],
  ])('with %j is %s', async (paths, status, fix) => {
    const machine = {
      userName: 'ada',
      userHome: '/home/ada',
      ...files(Object.fromEntries(paths.map((path) => [path, '']))),
    };
    const found = await (await doctorScene({ machine })).look('service');
    expect(found.status).toBe(status);
    expect(found.fix).toBe(fix);
  });
});

describe('why Chromium has no sandbox', () => {
  const choice = { path: '/opt/chromium', kind: 'chromium', source: 'installed', why: '' } as const;
  it.each([
    [0, {}, 'runs as root', 'a user of its own'],
    [
      1000,
      { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' },
      'for root only',
      'kernel.unprivileged_userns_clone=1',
    ],
    [1000, { '/proc/sys/user/max_user_namespaces': '0\n' }, 'switched off', 'user.max_user_namespaces'],
    [
      1000,
      { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' },
      'AppArmor',
      'profile qualinet-browser "/opt/chromium" flags=(unconfined) { userns, }',
    ],
    [1000, { '/proc/self/status': 'Name: node\nSeccomp:\t2\n' }, 'seccomp', '--security-opt seccomp='],
    [1000, {}, 'said so', 'user namespaces'],
  ])('uid %d, %j', async (uid, texts, detail, fix) => {
    const found = await whyNot(
      { choice, sandboxReason: 'said so' },
      { uid, ...files(texts as Record<string, string>) },
    );
    expect(found).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining(detail),
      fix: expect.stringContaining(fix),
    });
  });
});
