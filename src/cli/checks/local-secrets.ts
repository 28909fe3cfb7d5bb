import { readSecrets } from '../../agent/secrets/read-secrets.ts';
import { silentLog } from '../../lib/log.ts';
import { hostsForSecrets } from '../open-secrets.ts';
import { type Check, ok, warning } from './check.ts';

export const localSecrets: Check = {
  name: 'secrets',
  title: 'Local secrets',
  needs: ['policy'],
  fix: 'Correct where it comes from: --secrets (QUALINET_SECRETS), QUALINET_VAR_NAME or a credential of systemd',
  async run({ config, cwd, policy }) {
    const warnings: string[] = [];
    const secrets = await readSecrets(config, {
      hostsOfOthers: hostsForSecrets(config, await policy()),
      log: { ...silentLog, warn: (text) => void warnings.push(text) },
      cwd,
    });
    const { names } = secrets;
    if (names.length === 0) return ok('none');
    const text = `${names.length}: ${names.join(', ')}`;
    const unbound = names.filter((name) => secrets.get(name)?.hosts?.length === 0);
    if (unbound.length > 0) {
      return warning(
        `${text}; no page is given ${unbound.join(', ')}: no host is named for ${unbound.length === 1 ? 'it' : 'them'}`,
        `Write its pages into the file of --secrets: { ${JSON.stringify(unbound[0])}: { "value": "…", "hosts": ["app.example.com"] } }; or name them for all: --allow-host app.example.com`,
      );
    }
    return warnings.length === 0 ? ok(text) : warning(`${text}; ${warnings.join('; ')}`, localSecrets.fix);
  },
};
