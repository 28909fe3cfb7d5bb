import { resolve } from 'node:path';
import * as z from 'zod';
import { isStart, type NodeType, nodeTypeNamed, nodeTypes } from '../../flow/node-types/node-types.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import { readTrustedFile } from '../../lib/guarded-file.ts';
import { type HostPattern, parseHostPattern } from '../../lib/host-pattern.ts';
import { printable } from '../../lib/printable.ts';
import { workspaceSchema } from '../../protocol/messages.ts';
import { fieldPath } from '../../protocol/problem.ts';
import { normaliseApiBaseUrl } from '../config/bridge-settings.ts';
import { networkProfiles } from '../config/network-settings.ts';
import { parsedBy } from '../config/values.ts';

const host = z.string('must be a text').transform(parsedBy((text) => parseHostPattern(text.trim())));
const hosts = z.array(host, 'must be a list of hosts').min(1, 'names no host; leave it out for no such rule');

/** A file of rules: every field may be left out, none but these may be in it. */
const policySchema = z.strictObject({
  /** The only hosts that flows may reach. */
  hosts: hosts.optional(),
  /** The widest part of the network that flows may reach. */
  network: z.enum(networkProfiles, `must be ${networkProfiles.join(', ')}`).optional(),
  /** Hosts that they may reach besides that part; `--allow-host` adds none to them. */
  allowHosts: hosts.optional(),
  /** The only node types that flows may have. */
  nodeTypes: z
    .array(nodeType(), 'must be a list of node types')
    .min(1, 'names no node type; leave it out for no such rule')
    .transform((types) => types.flatMap((type) => type ?? []))
    .optional(),
  /** Longest that a run may take here. */
  maxRunSeconds: z
    .int('must be a whole number of seconds')
    .min(1, 'must be at least 1')
    .max(86_400, 'must be at most 86400')
    .optional(),
  /** Whether pictures may leave this machine; a list names the hosts they may go to. */
  uploads: z.union([z.boolean(), hosts], 'must be true, false or a list of hosts').optional(),
  /** The only bridges whose runs are taken, by address. */
  bridges: z
    .array(z.string().transform(parsedBy(normaliseApiBaseUrl)), 'must be a list of addresses')
    .min(1, 'names no bridge; leave it out for no such rule')
    .optional(),
  /** The only workspaces whose runs are taken. */
  workspaces: z
    .array(workspaceSchema, 'must be a list of workspaces')
    .min(1, 'names no workspace; leave it out for no such rule')
    .optional(),
  /** `required`: without a written audit log no run begins. */
  audit: z.literal('required', 'can only be "required"').optional(),
});

/** What the owner of a machine lets flows do on it. What a server sends can only be tighter. */
export interface LocalPolicy {
  /** Its file, for messages. */
  readonly path: string;
  /** Empty for no such rule; so are the other lists. */
  readonly hosts: readonly HostPattern[];
  readonly network: (typeof networkProfiles)[number] | null;
  readonly allowHosts: readonly HostPattern[];
  readonly nodeTypes: readonly NodeType[];
  readonly maxRunMs: number | null;
  /** True for anywhere, false for nowhere. */
  readonly uploads: boolean | readonly HostPattern[];
  readonly bridges: readonly string[];
  readonly workspaces: readonly string[];
  readonly isAuditRequired: boolean;
  /** The rules that it has, as they stand in the file. */
  readonly written: Readonly<Record<string, unknown>>;
}

/** A policy that is longer was not written by a person. */
const maxBytes = 256 * 1024;

/**
 * Reads a policy. Null when `path` is null, or nothing is there and nobody named it. Throws EnvironmentError with every
 * problem at once: a policy that is wrong is never passed over.
 */
export async function readLocalPolicy(
  path: string | null,
  { isNamed }: { isNamed: boolean },
): Promise<LocalPolicy | null> {
  if (path === null) return null;
  const full = resolve(path);
  const text = await readTrustedFile(full, { maxBytes });
  if (text !== null) return parsePolicy(text, full);
  if (!isNamed) return null;
  throw new EnvironmentError(`the policy ${full} is not there`, {
    hint: 'Write it, or correct --policy (QUALINET_POLICY).',
  });
}

function parsePolicy(text: string, path: string): LocalPolicy {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(path, [`it is no JSON: ${errorText(error)}`]);
  }
  const parsed = policySchema.safeParse(json);
  if (!parsed.success) throw wrong(path, parsed.error.issues.flatMap(problemsOf));
  const { maxRunSeconds, audit, ...rules } = parsed.data;
  return Object.freeze({
    path,
    hosts: rules.hosts ?? [],
    network: rules.network ?? null,
    allowHosts: rules.allowHosts ?? [],
    nodeTypes: rules.nodeTypes ?? [],
    maxRunMs: maxRunSeconds === undefined ? null : maxRunSeconds * 1_000,
    uploads: rules.uploads ?? true,
    bridges: rules.bridges ?? [],
    workspaces: rules.workspaces ?? [],
    isAuditRequired: audit === 'required',
    written: json as Record<string, unknown>,
  });
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') {
    if (issue.path.length === 0) return ['it must be an object: { "hosts": […], … }'];
    return [printable(`${fieldPath(issue.path)}: ${issue.message}`)];
  }
  const known = Object.keys(policySchema.shape);
  return issue.keys.map((key) => {
    const meant = didYouMean(key, known);
    const advice = meant === null ? `known are ${known.join(', ')}` : `did you mean ${meant}?`;
    return printable(`${key.slice(0, 100)}: is no rule of a policy; ${advice}`);
  });
}

function wrong(path: string, problems: readonly string[]): EnvironmentError {
  return new EnvironmentError(`the policy ${path} is wrong`, {
    problems,
    hint: 'Nothing is executed here until it is right. Its rules: docs/operations.md, "Local policy".',
  });
}

/** Null for `start`, which is no step and always allowed. */
function nodeType() {
  return z.string('must be a text').transform((text, context): NodeType | null => {
    const type = nodeTypeNamed(text);
    if (type !== null || isStart(text)) return type;
    context.addIssue({
      code: 'custom',
      message: `"${text.slice(0, 100)}" is no node type; known are ${Object.keys(nodeTypes).join(', ')}`,
    });
    return z.NEVER;
  });
}
