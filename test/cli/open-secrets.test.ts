import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEngineConfig } from '../../src/agent/config/agent-config.ts';
import { readLocalPolicy } from '../../src/agent/policy/local-policy.ts';
import { hostsForSecrets } from '../../src/cli/open-secrets.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function hosts(env: Record<string, string>, policy: object | null): Promise<string[]> {
  const path = join(await tempFolder(), 'policy.json');
  if (policy !== null) await writeFile(path, JSON.stringify(policy), { mode: 0o600 });
  const read = policy === null ? null : await readLocalPolicy(path, { isNamed: true });
  return hostsForSecrets(readEngineConfig(env), read).map(({ text }) => text);
}

describe('a secret that names no hosts may be typed into', () => {
  const env = { QUALINET_ALLOW_HOSTS: 'a.example', QUALINET_ONLY_HOSTS: 'b.example' };

  it('hosts that the command line and the policy name', async () => {
    expect(await hosts({}, null)).toEqual([]);
    expect(await hosts(env, null)).toEqual(['a.example', 'b.example']);
    expect(await hosts(env, { hosts: ['c.example'], allowHosts: ['d.example'] })).toEqual([
      ...['a.example', 'd.example'],
      ...['b.example', 'c.example'],
    ]);
  });

  it('none that a policy with a profile of its own has put out of force', async () => {
    const policy = { network: 'lan', allowHosts: ['d.example'] };
    expect(await hosts(env, policy)).toEqual(['d.example', 'b.example']);
  });
});
