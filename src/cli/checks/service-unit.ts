import { type Check, ok, skipped, warning } from './check.ts';

const unit = 'qualinet.service';

/** Reads files only: whether systemd runs the unit, `systemctl` knows. */
export const serviceUnit: Check = {
  name: 'service',
  title: 'Service',
  needs: [],
  fix: 'systemctl status qualinet',
  async run({ machine }) {
    if (machine.platform !== 'linux') return skipped('cannot be known: this system has no systemd');
    const isThere = async (path: string): Promise<boolean> => (await machine.readText(path)) !== null;
    const system = '/etc/systemd/system';
    const user = `${machine.userHome}/.config/systemd/user`;
    if (await isThere(`${system}/${unit}`)) {
      return (await isThere(`${system}/multi-user.target.wants/${unit}`))
        ? ok(`${unit} is installed and started with the machine`)
        : warning(`${unit} is installed, but not started with the machine`, `systemctl enable --now ${unit}`);
    }
    if (!(await isThere(`${user}/${unit}`))) return skipped('none is installed');
    if (!(await isThere(`${user}/default.target.wants/${unit}`)))
      return warning(
        `${unit} of ${machine.userName} is installed, but not started`,
        `systemctl --user enable --now ${unit}`,
      );
    return (await isThere(`/var/lib/systemd/linger/${machine.userName}`))
      ? ok(`${unit} of ${machine.userName} is installed and started with the machine`)
      : warning(
          `${unit} of ${machine.userName} ends when the user logs out`,
          `loginctl enable-linger ${machine.userName}`,
        );
  },
};
