import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { planService } from '../../../src/cli/systemd/service-plan.ts';
import { lockFolder } from '../../../src/lib/folder-lock.ts';
import { fakeSystem } from './fake-system.ts';

const credentials = JSON.stringify({ runnerId: '11111111-1111-4111-8111-111111111111', name: 'the till' });

async function paired(system: Awaited<ReturnType<typeof fakeSystem>>): Promise<void> {
  await system.put('/var/lib/qualinet/runner.json', credentials, 0o600);
}
async function pairedByHand({ home }: { home: string }): Promise<void> {
  await mkdir(join(home, 'spool/lease-1'), { recursive: true });
  await writeFile(join(home, 'runner.json'), credentials, { mode: 0o600 });
  await writeFile(join(home, 'spool/lease-1/lease.json'), '{}');
}
const terminal = (text: string) => ({
  stdin: Object.assign(Readable.from([text]), { isTTY: true }),
  stderr: { isTTY: true, write: () => {} },
});

describe('qualinet service install', () => {
  it('makes user, home and unit, starts it with the machine and now, and can be done again', async () => {
    const system = await fakeSystem();
    await paired(system);
    for (let time = 1; time <= 2; time += 1) {
      const { code, err } = await system.command('install', {
        concurrency: '2',
        allowHost: ['a.example', 'b.example'],
      });
      expect(code).toBe(0);
      expect(err).toContain('qualinet.service is active');
    }
    expect(await system.calls()).toEqual([
      'useradd --system --user-group --no-create-home --home-dir /var/lib/qualinet --shell /usr/sbin/nologin --comment qualinet runner qualinet',
      ...Array.from({ length: 2 }, () => [
        'systemctl daemon-reload',
        'systemctl enable qualinet.service',
        'systemctl reset-failed qualinet.service',
        'systemctl restart qualinet.service',
        'systemctl is-active --quiet qualinet.service',
      ]).flat(),
    ]);
    const unit = await system.read('/etc/systemd/system/qualinet.service');
    expect(unit).toContain(
      'ExecStart=/usr/bin/node /usr/lib/node_modules/@qualitas-id/qualinet/bin/qualinet.js start --concurrency 2 --allow-host a.example --allow-host b.example\n',
    );
    expect((await stat(join(system.root, '/var/lib/qualinet'))).mode & 0o777).toBe(0o700);
  });

  it('without a pairing does not start, and says exactly what to type', async () => {
    const system = await fakeSystem();
    const { code, err, out } = await system.command('install', { json: true });
    expect(code).toBe(0);
    expect(err).toContain(
      'sudo -u qualinet env QUALINET_HOME=/var/lib/qualinet /usr/bin/node /usr/lib/node_modules/@qualitas-id/qualinet/bin/qualinet.js pair CODE --api https://…',
    );
    expect(err).toContain('sudo systemctl start qualinet');
    expect(await system.calls()).not.toContain('systemctl restart qualinet.service');
    expect(JSON.parse(out)).toMatchObject({ installed: true, isPaired: false, isActive: null });
  });

  it('moves the pairing of the person who calls, with what is owed, when asked to', async () => {
    const system = await fakeSystem();
    await pairedByHand(system);
    const { err } = await system.command('install', { takePairing: true });
    expect(err).toContain('moved the pairing "the till"');
    expect(err).toContain('is active');
    expect(await system.read('/var/lib/qualinet/runner.json')).toBe(credentials);
    expect((await stat(join(system.root, '/var/lib/qualinet/runner.json'))).mode & 0o777).toBe(0o600);
    expect(await system.read('/var/lib/qualinet/spool/lease-1/lease.json')).toBe('{}');
    expect(await readdir(system.home)).toEqual([]);
  });

  it('asks on a terminal, and leaves the pairing where it is without a yes', async () => {
    const system = await fakeSystem();
    await pairedByHand(system);
    const refused = await system.command('install', { json: true }, terminal('n\n'));
    expect(JSON.parse(refused.out)).toMatchObject({ isPaired: false });
    expect(await readFile(join(system.home, 'runner.json'), 'utf8')).toBe(credentials);
    const agreed = await system.command('install', { json: true }, terminal('\n'));
    expect(JSON.parse(agreed.out)).toMatchObject({ isPaired: true });
  });

  it('off a terminal asks nobody and names the option', async () => {
    const system = await fakeSystem();
    await pairedByHand(system);
    const { err } = await system.command('install');
    expect(err).toContain('--take-pairing');
    expect(await readFile(join(system.home, 'runner.json'), 'utf8')).toBe(credentials);
  });

  it('finds the pairing of the user behind sudo', async () => {
    const system = await fakeSystem();
    await pairedByHand(system);
    const person = join(system.home, '..');
    await system.set('passwd', `ada:x:1000:1000:Ada:${person}:/bin/bash\n`);
    const env = { QUALINET_HOME: '/nowhere', SUDO_USER: 'ada' };
    const { err } = await system.command('install', { takePairing: true }, { env });
    expect(err).toContain(`moved the pairing "the till" from ${person}`);
  });

  it('moves no pairing from under a running runner, and follows no link', async () => {
    const system = await fakeSystem();
    await pairedByHand(system);
    const lock = await lockFolder(system.home, 'a runner');
    onTestFinished(() => lock.release());
    await expect(system.command('install', { takePairing: true })).rejects.toThrow('a runner is at work in');
    expect(await readFile(join(system.home, 'runner.json'), 'utf8')).toBe(credentials);

    const other = await fakeSystem();
    await mkdir(other.home, { recursive: true });
    await writeFile(join(other.home, 'elsewhere.json'), credentials);
    await symlink(join(other.home, 'elsewhere.json'), join(other.home, 'runner.json'));
    const { out } = await other.command('install', { takePairing: true, json: true });
    expect(JSON.parse(out)).toMatchObject({ isPaired: false });
  });

  it('writes proxies of the shell only when asked, for root to read, and keeps what else is in the file', async () => {
    const env = {
      HTTPS_PROXY: 'http://ada:pa"$s@proxy:3128',
      no_proxy: 'localhost',
      QUALINET_BROWSER: '/opt/chromium',
    };
    const system = await fakeSystem({ env });
    await paired(system);
    const unasked = await system.command('install');
    expect(unasked.err).toContain('--with-proxies');
    expect(unasked.err).toContain('QUALINET_BROWSER of this shell is not passed on');
    await expect(system.read('/etc/qualinet/qualinet.env')).rejects.toThrow('ENOENT');
    await system.put('/etc/qualinet/qualinet.env', 'HTTPS_PROXY=old\n# ours\nQUALINET_SPOOL_MIB=400\n');
    await system.command('install', { withProxies: true });
    expect(await system.read('/etc/qualinet/qualinet.env')).toBe(
      '# ours\nQUALINET_SPOOL_MIB=400\nHTTPS_PROXY="http://ada:pa\\"\\$s@proxy:3128"\nno_proxy="localhost"\n',
    );
    expect((await stat(join(system.root, '/etc/qualinet/qualinet.env'))).mode & 0o777).toBe(0o600);
    expect(await system.read('/etc/systemd/system/qualinet.service')).not.toContain('proxy:3128');
  });

  it('shows the last lines of the log when the service does not start', async () => {
    const system = await fakeSystem();
    await paired(system);
    await system.set('fails');
    await system.set('journal', 'error: no Chromium was found\n\nRun: qualinet install-browser\n');
    await expect(system.command('install')).rejects.toMatchObject({
      message: expect.stringContaining('Job for qualinet.service failed.'),
      problems: ['error: no Chromium was found', 'Run: qualinet install-browser'],
      hint: expect.stringContaining('sudo systemctl start qualinet'),
      exitCode: 78,
    });
  });

  it('of one user is in the folders of that user, with linger, and without linger says so', async () => {
    const system = await fakeSystem({ uid: 1000 });
    await pairedByHand(system);
    const home = join(system.home, '..');
    const { err } = await system.command('install', { user: true });
    expect(err).toContain('is active');
    expect(await system.read(join(home, '.config/systemd/user/qualinet.service'))).toContain(
      `Environment=QUALINET_HOME=${system.home}\n`,
    );
    const calls = await system.calls();
    expect(calls).toContain('loginctl enable-linger');
    expect(calls).toContain('systemctl --user restart qualinet.service');
    expect(calls.join()).not.toContain('useradd');
    await system.set('no-linger');
    expect((await system.command('install', { user: true })).err).toContain('sudo loginctl enable-linger');
    await system.set('lingers', 'yes\n');
    expect((await system.command('install', { user: true })).err).not.toContain('linger');
  });

  it('under another name has everything under it', async () => {
    const system = await fakeSystem();
    await system.put('/var/lib/till-2/runner.json', credentials, 0o600);
    await system.command('install', { name: 'till-2' });
    const unit = await system.read('/etc/systemd/system/till-2.service');
    for (const line of ['User=till-2', 'StateDirectory=till-2', 'Environment=QUALINET_HOME=/var/lib/till-2'])
      expect(unit).toContain(`${line}\n`);
  });

  it('gets a file of secrets as a credential: the file itself is read by systemd alone', async () => {
    const { machine, home } = await fakeSystem();
    await mkdir(home, { recursive: true });
    const path = join(home, 'my secrets 100%.json');
    const plan = (values: object, user = false) =>
      planService({ name: 'qualinet', user, values: { ...values } }, { env: {}, cwd: home }, machine);
    await expect(plan({ secrets: path })).rejects.toThrow(`--secrets: there is no file ${path}`);
    await writeFile(path, '{}', { mode: 0o600 });
    const { text, obstacles } = await plan({ secrets: 'my secrets 100%.json' });
    expect(text).toContain(`LoadCredential=qualinet.secrets:${path.replace('%', '%%')}\n`);
    expect(text).not.toContain('--secrets');
    expect(obstacles).toEqual([]);
    await expect(plan({ secrets: `${path}\n[Service]` })).rejects.toThrow('control characters');
    await expect(plan({ secrets: `${path}\\` })).rejects.toThrow('a backslash');
  });
});

describe('qualinet service install refuses', () => {
  const installs = async (system: Awaited<ReturnType<typeof fakeSystem>>, options: object = {}) => {
    const error = await system.command('install', { ...options }).then(
      () => null,
      (thrown: unknown) => thrown as { message: string; problems: string[]; hint?: string; exitCode: number },
    );
    expect(await system.calls()).toEqual([]);
    return error;
  };

  it('without systemd, and says what else there is', async () => {
    const error = await installs(await fakeSystem({ isBooted: false }));
    expect(error).toMatchObject({ exitCode: 78, hint: expect.stringContaining('print --compose') });
    expect(error?.hint).toContain('qualinet start');
  });

  it('without root, and prints the line with sudo and the one without', async () => {
    const error = await installs(await fakeSystem({ uid: 1000 }), { name: 'till' });
    expect(error?.hint).toContain(
      'sudo /usr/bin/node /usr/lib/node_modules/@qualitas-id/qualinet/bin/qualinet.js service install --name till',
    );
    expect(error?.hint).toContain('--user');
  });

  it('to make a service of root itself', async () => {
    expect((await installs(await fakeSystem(), { user: true }))?.message).toContain('as root');
  });

  it.each([
    ['the cache of npx', { program: '/usr/lib/_npx/1a/node_modules/x/bin/qualinet.js' }, 'cache of npx'],
    [
      'a program in a home',
      { program: '/home/ada/lib/bin/qualinet.js' },
      '/home/ada/lib/bin/qualinet.js is in /home',
    ],
    ['a Node.js of nvm', { node: '/root/.nvm/versions/node/v22.0.0/bin/node' }, 'is in /root'],
    ['what a reboot removes', { program: '/tmp/x/qualinet.js' }, 'is in /tmp'],
  ])('%s', async (_, where, text) => {
    const error = await installs(await fakeSystem(where));
    expect(error).toMatchObject({ exitCode: 78, problems: [expect.stringContaining(text)] });
    expect(error?.hint).toContain('npm install --global');
  });

  it('a program that others may not read', async () => {
    const program = '/opt/qualinet/bin/qualinet.js';
    const system = await fakeSystem({ program });
    const { chmod } = await import('node:fs/promises');
    await chmod(join(system.root, '/opt/qualinet'), 0o750);
    expect((await installs(system))?.problems).toEqual(['/opt/qualinet cannot be entered by other users']);
    await chmod(join(system.root, '/opt/qualinet'), 0o755);
    await chmod(join(system.root, program), 0o600);
    expect((await installs(system))?.problems).toEqual([`${program} cannot be read by other users`]);
  });

  it('a file for the runner that the service would not see', async () => {
    const error = await installs(await fakeSystem(), { browser: '/home/ada/chromium' });
    expect(error?.problems).toEqual([expect.stringContaining('--browser: /home/ada/chromium is in /home')]);
  });

  it('values that start would refuse, all at once', async () => {
    const error = await installs(await fakeSystem(), { concurrency: '0', network: 'everything' });
    expect(error).toMatchObject({ exitCode: 64 });
    expect(error?.problems).toHaveLength(2);
  });

  it('a unit of that name that somebody else wrote', async () => {
    const system = await fakeSystem();
    await system.put('/etc/systemd/system/qualinet.service', '[Service]\nExecStart=/bin/true\n');
    expect((await installs(system))?.message).toContain('was not written by qualinet');
  });

  it.each(['Upper', '../x', 'a b', 'root', 'x'.repeat(32), ''])('the name %j', async (name) => {
    expect((await installs(await fakeSystem(), { name }))?.exitCode).toBe(64);
  });

  it.each([
    ['install', { purge: true }, '--purge belongs to service uninstall'],
    ['install', { compose: true }, '--compose belongs to service print'],
    ['status', { withProxies: true }, '--with-proxies belongs to service install'],
    ['status', { concurrency: '2' }, '--concurrency'],
  ])('%s with an option of another action', async (action, options, text) => {
    const { command } = await fakeSystem();
    await expect(command(action, options)).rejects.toMatchObject({
      problems: [expect.stringContaining(text)],
    });
  });
});

describe('qualinet service status', () => {
  const show = (over: Record<string, string>): string =>
    Object.entries({
      LoadState: 'loaded',
      ActiveState: 'active',
      SubState: 'running',
      UnitFileState: 'enabled',
      StatusText: 'waiting for runs',
      MainPID: '4711',
      NRestarts: '2',
      ExecMainCode: '0',
      ExecMainStatus: '0',
      ...over,
    })
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');

  it('tells what systemd knows and what the runner says', async () => {
    const system = await fakeSystem({ uid: 1000 });
    await system.set('show', show({}));
    const { code, out } = await system.command('status');
    expect(code).toBe(0);
    expect(out).toContain('qualinet is active (running, process 4711, started again 2 times)');
    expect(out).toContain('waiting for runs');
    expect(out).toContain('at boot:  started');
    const { out: asJson } = await system.command('status', { json: true });
    expect(JSON.parse(asJson)).toMatchObject({
      isInstalled: true,
      activeState: 'active',
      mainPid: 4711,
      restarts: 2,
    });
  });

  it.each([
    ['is not installed', { LoadState: 'not-found', ActiveState: 'inactive' }, 78],
    ['was stopped', { ActiveState: 'inactive', SubState: 'dead', ExecMainCode: '1' }, 75],
    ['lost its credentials', { ActiveState: 'failed', ExecMainCode: '1', ExecMainStatus: '77' }, 77],
    ['is not paired', { ActiveState: 'failed', ExecMainCode: '1', ExecMainStatus: '78' }, 78],
    ['was killed', { ActiveState: 'failed', ExecMainCode: '2', ExecMainStatus: '9' }, 75],
    [
      'is started again',
      { ActiveState: 'activating', SubState: 'auto-restart', ExecMainCode: '1', ExecMainStatus: '69' },
      75,
    ],
  ])('of one that %s ends with its code', async (_, state, code) => {
    const system = await fakeSystem();
    await system.set('show', show(state));
    expect((await system.command('status')).code).toBe(code);
  });
});

describe('qualinet service uninstall', () => {
  it('stops it and removes its unit; what it owes and its credentials stay', async () => {
    const system = await fakeSystem();
    await paired(system);
    await system.command('install');
    const { err, code } = await system.command('uninstall');
    expect(code).toBe(0);
    expect(err).toContain('kept /var/lib/qualinet');
    expect((await system.calls()).slice(-3)).toEqual([
      'systemctl disable --now qualinet.service',
      'systemctl daemon-reload',
      'systemctl reset-failed qualinet.service',
    ]);
    await expect(system.read('/etc/systemd/system/qualinet.service')).rejects.toThrow('ENOENT');
    expect(await system.read('/var/lib/qualinet/runner.json')).toBe(credentials);
    await expect(system.command('uninstall')).rejects.toThrow('there is no service qualinet');
  });

  it('with --purge deletes everything of it, and says what is lost and how its credentials end', async () => {
    const system = await fakeSystem({ env: { HTTPS_PROXY: 'http://proxy:3128' } });
    await pairedByHand(system);
    await system.command('install', { takePairing: true, withProxies: true });
    const { err } = await system.command('uninstall', { purge: true });
    expect(err).toContain('1 run was not delivered yet');
    expect(err).toContain('qualinet-bridge revoke 11111111-1111-4111-8111-111111111111');
    for (const what of [
      '/etc/systemd/system/qualinet.service',
      '/var/lib/qualinet',
      '/etc/qualinet/qualinet.env',
      'user qualinet',
    ])
      expect(err).toContain(`removed ${what}`);
    expect(await readdir(join(system.root, '/var/lib'))).toEqual([]);
    expect(await system.calls()).toContain('userdel qualinet');
  });

  it('removes no unit that somebody else wrote', async () => {
    const system = await fakeSystem();
    await system.put('/etc/systemd/system/qualinet.service', '[Service]\n');
    await expect(system.command('uninstall')).rejects.toThrow('was not written by qualinet');
    expect(await system.calls()).toEqual([]);
  });
});

describe('qualinet service print', () => {
  it('shows what install would write, without root or systemd, and warns of what would not work', async () => {
    const system = await fakeSystem({ uid: 1000, isBooted: false, node: '/home/ada/node' });
    const { out, err, code } = await system.command('print', { concurrency: '3' });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^# Written by qualinet service install\.[\s\S]*ExecStart=\/home\/ada\/node .* start --concurrency 3\n/,
    );
    expect(err).toContain('warning: /home/ada/node is in /home');
    expect(await system.calls()).toEqual([]);
  });

  it('--compose shows a file for containers, with paths of this machine made absolute', async () => {
    const { command } = await fakeSystem({ uid: 1000, isBooted: false });
    const { out } = await command('print', {
      compose: true,
      concurrency: '3',
      browser: 'chromium',
      healthListen: '1',
    });
    expect(out).toContain('command: ["start", "--concurrency", "3", "--health-listen", "4871"]');
  });
});
