import { holdSecrets, type LocalSecret, type LocalSecrets } from '../../src/flow/local-secrets.ts';
import { parseHostPattern } from '../../src/lib/host-pattern.ts';
import { Secret } from '../../src/lib/secret.ts';

/** Secrets of a machine as tests write them: `hosts` null for any page. */
export function secretsOf(
  values: Readonly<
    Record<
      string,
      { value: string; hosts?: readonly string[] | null; use?: LocalSecret['use']; namesHosts?: boolean }
    >
  >,
): LocalSecrets {
  return holdSecrets(
    Object.entries(values).map(([name, { value, hosts = null, use = typeOnly, namesHosts = true }]) => ({
      name,
      value: new Secret(value),
      use,
      hosts: hosts?.map(parseHostPattern) ?? null,
      namesHosts,
    })),
  );
}

const typeOnly: LocalSecret['use'] = ['type'];
