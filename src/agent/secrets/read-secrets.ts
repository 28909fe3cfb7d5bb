import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { holdSecrets, type LocalSecret, type LocalSecrets } from '../../flow/local-secrets.ts';
import { EnvironmentError, UsageError } from '../../lib/errors.ts';
import { readPrivateFile } from '../../lib/guarded-file.ts';
import type { HostPattern } from '../../lib/host-pattern.ts';
import type { Log } from '../../lib/log.ts';
import { Secret } from '../../lib/secret.ts';
import { shortestEncoded, shortestSpelling } from '../../lib/spellings.ts';
import { variableName } from '../../lib/variable-name.ts';
import type { EngineConfig } from '../config/agent-config.ts';
import { readMounted, readSecretFolder } from './secret-folder.ts';
import { defaultUse, nameProblem, parseSecretsFile, type SecretEntry } from './secrets-file.ts';

/** Characters of a secret. A longer one is a file, and no field takes it. */
const longest = 10_000;

/** Where Docker and Kubernetes put secrets, for everybody in the container to read. */
const mountFolders = ['/run/secrets', '/var/run/secrets'];

export interface ReadSecretsDeps {
  log: Log;
  cwd: string;
  /** Pages for secrets that name none of their own; null for any (docs/decisions/0016). */
  hostsOfOthers: readonly HostPattern[] | null;
  /** Other places than those of this machine, for tests. */
  mounts?: readonly string[];
}

/**
 * Reads all secrets of this machine. Where a name comes from several places, the first of these counts: the file, the
 * environment, the folders of credentials. Throws UsageError with all problems at once, EnvironmentError for a file that
 * is not there or that others can read; neither repeats a value.
 */
export async function readSecrets(
  config: Pick<EngineConfig, 'secretsFile' | 'credentialsFolder' | 'secretVariables'>,
  { log, cwd, hostsOfOthers, mounts = mountFolders }: ReadSecretsDeps,
): Promise<LocalSecrets> {
  const { secretsFile, credentialsFolder, secretVariables } = config;
  const folders = [...(credentialsFolder === null ? [] : [credentialsFolder]), ...mounts];
  const found: Found[] = [];
  const problems: string[] = [];
  const takeFile = (path: string, text: string): void => {
    const parsed = parseSecretsFile(text);
    problems.push(...parsed.problems.map((problem) => `${path}: ${problem}`));
    found.push(
      ...parsed.entries.map((entry) => ({ ...entry, source: path, what: `${path}: ${entry.name}` })),
    );
  };

  if (secretsFile !== null) {
    const path = resolve(cwd, secretsFile);
    takeFile(path, await readNamedFile(path, folders, log));
  }
  for (const { variable, name, value } of secretVariables) {
    found.push({ ...plain(name, value.reveal()), source: variable, what: variable });
  }
  for (const folder of folders) {
    for (const { path, name, text } of await readSecretFolder(folder)) {
      if (name === null) takeFile(path, text);
      else found.push({ ...plain(name, text), source: path, what: path });
    }
  }

  const secrets = new Map<string, LocalSecret>();
  const sources = new Map<string, string>();
  for (const { name, value, hosts, use, source, what } of found) {
    const problem = problemOf(name, value);
    if (problem !== null) problems.push(`${what}: ${problem}`);
    const first = sources.get(name);
    if (first !== undefined) {
      if (first !== source) log.warn(`the secret ${name} comes from ${first}; that of ${source} is not used`);
      continue;
    }
    sources.set(name, source);
    secrets.set(name, {
      name,
      value: new Secret(value),
      use,
      hosts: hosts ?? hostsOfOthers,
      namesHosts: hosts !== null,
    });
    if (value.length < shortestEncoded) {
      log.warn(
        `the secret ${name} is short: it is taken out of texts as it is, but not where it is encoded. ${shortestEncoded} characters and more are safer`,
      );
    }
  }
  if (problems.length > 0) throw new UsageError('the secrets of this machine are wrong', { problems });
  return holdSecrets([...secrets.values()]);
}

type Found = SecretEntry & {
  /** Where it comes from. */
  source: string;
  /** How messages name it. */
  what: string;
};

function plain(name: string, value: string): SecretEntry {
  return { name, value, hosts: null, use: defaultUse };
}

function problemOf(name: string, value: string): string | null {
  if (!variableName.test(name)) return nameProblem;
  if (value.trim().length < shortestSpelling) {
    return `the value must have at least ${shortestSpelling} characters: a shorter one cannot be kept out of texts`;
  }
  if (value.length > longest) return `the value must have at most ${longest} characters`;
  return null;
}

/** A file that the command line or the environment names; what a container mounts may be readable for others. */
async function readNamedFile(path: string, mounts: readonly string[], log: Log): Promise<string> {
  if (mounts.some((folder) => path.startsWith(resolve(folder) + sep))) {
    const text = await readMounted(path);
    const { mode } = await stat(path);
    if ((mode & 0o007) !== 0) log.warn(`${path} can be read by every user of this machine or container`);
    return text;
  }
  const text = await readPrivateFile(path);
  if (text !== null) return text;
  throw new EnvironmentError(`there is no secrets file ${path}`, {
    hint: 'Name it with --secrets or QUALINET_SECRETS; it holds { "NAME": "value" }, and only its owner may read it.',
  });
}
