import { type Check, type Finding, failed, ok, warning } from './check.ts';
import type { Machine } from './machine.ts';
import type { Launched } from './scene.ts';

export const sandbox: Check = {
  name: 'sandbox',
  title: "Browser's sandbox",
  needs: ['page'],
  fix: 'Run it as a user of its own: qualinet service install (or accept that: --allow-root)',
  limitMs: 45_000,
  async run({ launch, machine, config }) {
    const launched = await launch();
    if (machine.uid === 0 && !config.isRootAllowed) {
      return failed(
        'off, because this runs as root: Chromium refuses one, and qualinet start is refused as root',
        sandbox.fix,
      );
    }
    return launched.warm.sandboxed ? ok('on') : whyNot(launched, machine);
  },
};

/** Why Chromium has no sandbox here, and what gives it one. */
export async function whyNot(
  { choice, sandboxReason }: Pick<Launched, 'choice' | 'sandboxReason'>,
  { uid, readText }: Pick<Machine, 'uid' | 'readText'>,
): Promise<Finding> {
  const off = (why: string, fix: string): Finding =>
    warning(`off: ${why}; a hostile page could reach this machine`, fix);
  if (uid === 0) return off('this runs as root, which Chromium refuses one', sandbox.fix);
  const setting = async (path: string): Promise<string | null> => (await readText(path))?.trim() ?? null;
  const [clone, most, restricted, status] = await Promise.all(
    [
      '/proc/sys/kernel/unprivileged_userns_clone',
      '/proc/sys/user/max_user_namespaces',
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '/proc/self/status',
    ].map(setting),
  );
  if (clone === '0')
    return off(
      'user namespaces are for root only',
      'sysctl -w kernel.unprivileged_userns_clone=1 (and in /etc/sysctl.d/)',
    );
  if (most === '0')
    return off(
      'user namespaces are switched off',
      'sysctl -w user.max_user_namespaces=15000 (and in /etc/sysctl.d/)',
    );
  if (restricted === '1') {
    return off(
      'AppArmor keeps user namespaces from programs without a profile (kernel.apparmor_restrict_unprivileged_userns=1)',
      `As root: ${appArmorProfile(choice.path)}`,
    );
  }
  if (/^Seccomp:\s*2$/m.test(status ?? '')) {
    return off(
      'a seccomp filter, as containers have, forbids user namespaces',
      'docker run --security-opt seccomp=chromium.json with a profile that allows clone, setns and unshare, as Playwright publishes one',
    );
  }
  return off(
    sandboxReason ?? 'this system does not let it have one',
    'Allow unprivileged user namespaces for the user of the runner',
  );
}

/** One command that gives this very program its profile. */
function appArmorProfile(path: string): string {
  const profile = `abi <abi/4.0>, include <tunables/global> profile qualinet-browser "${path}" flags=(unconfined) { userns, }`;
  return `echo '${profile}' > /etc/apparmor.d/qualinet-browser && apparmor_parser -r /etc/apparmor.d/qualinet-browser`;
}
