import type { HostPattern } from '../lib/host-pattern.ts';
import { createRedactor, type Redactor } from '../lib/redactor.ts';
import type { Secret } from '../lib/secret.ts';
import { entryOf, type NodeType } from './node-types/node-types.ts';
import type { Step } from './step.ts';
import { referencedVariables } from './variables.ts';

/** A variable of flows whose value stays on this machine. */
export interface LocalSecret {
  readonly name: string;
  readonly value: Secret;
  /** Node types it may stand in: of a `type` its value only, of an address that is opened only that, of others what is looked for. */
  readonly use: readonly NodeType[];
  /** Pages it may be given to; null for any. */
  readonly hosts: readonly HostPattern[] | null;
  /** True when its own entry names them, false when they are what the machine lets flows reach. */
  readonly namesHosts: boolean;
}

/** The secrets of this machine, and what takes them out of texts. */
export interface LocalSecrets {
  readonly names: readonly string[];
  get(name: string): LocalSecret | undefined;
  readonly redactor: Redactor;
}

/** Holds secrets together; a name that comes twice is the caller's mistake. */
export function holdSecrets(secrets: readonly LocalSecret[]): LocalSecrets {
  const byName = new Map(secrets.map((secret) => [secret.name, secret]));
  return {
    names: [...byName.keys()],
    get: (name) => byName.get(name),
    redactor: createRedactor(secrets.map(({ name, value }) => [name, value.reveal()])),
  };
}

/** A machine without secrets. */
export const noSecrets: LocalSecrets = holdSecrets([]);

/** The secrets a step refers to, and why it may not where it does: one sentence each, naming secret, field and what to change. */
export function secretsOfStep(
  { type, fields }: Step,
  secrets: LocalSecrets,
): { used: LocalSecret[]; faults: string[] } {
  const used = new Map<string, LocalSecret>();
  const faults: string[] = [];
  const judge = (secret: LocalSecret, fault: string | null): void => {
    used.set(secret.name, secret);
    if (fault !== null) faults.push(fault);
  };
  for (const [field, written] of Object.entries(fields)) {
    for (const name of referencedVariables(written)) {
      const secret = secrets.get(name);
      if (secret !== undefined) judge(secret, misuse(secret, type, field));
    }
  }
  // A code is made here from the secret it names; the secret itself goes nowhere.
  const named = type === 'totp' ? fields['secret'] : undefined;
  if (typeof named === 'string' && referencedVariables(named).length === 0) {
    const secret = secrets.get(named.trim());
    if (secret === undefined) faults.push(`this machine has no secret ${named.trim()} (--secrets)`);
    else judge(secret, unlessUsedIn(type, 'secret', secret));
  }
  return { used: [...used.values()], faults };
}

/** Fields that lead to a page or a frame or name one, and those that hold programs: what stands there goes further than one page. */
const fieldsWithoutSecrets: ReadonlySet<string> = new Set([
  'page',
  'frame',
  'opens',
  'name',
  'variable',
  'expression',
  'script',
]);

function misuse(secret: LocalSecret, type: NodeType, field: string): string | null {
  const { name } = secret;
  switch (entryOf(type).secrets) {
    case 'never':
      return `the secret ${name} stands in ${field} of a ${type} step; no secret may be used in such a step`;
    case 'element':
      if (type === 'type' && field === 'value') return unlessUsedIn(type, field, secret);
      return type === 'totp'
        ? `the secret ${name} stands in ${field} of a totp step; it is named in its secret, without braces`
        : `the secret ${name} stands in ${field} of a ${type} step; it may stand in its value only`;
    case 'address':
      if (field === 'url' || field === 'referer') return unlessUsedIn(type, field, secret);
      return `the secret ${name} stands in ${field} of a ${type} step; it may stand in its url only`;
    case 'page':
      if (!fieldsWithoutSecrets.has(field)) return unlessUsedIn(type, field, secret);
      return `the secret ${name} stands in ${field} of a ${type} step; no secret may stand there`;
  }
}

function unlessUsedIn(type: NodeType, field: string, { name, use }: LocalSecret): string | null {
  if (use.includes(type)) return null;
  return (
    `the secret ${name} may not be used in ${field} of a ${type} step, only in: ${use.join(', ')}; to allow it, write ` +
    `"use": ${JSON.stringify([...use, type])} into the entry of ${name} in this machine's secrets file (--secrets)`
  );
}
