import * as z from 'zod';
import { entryOf, type NodeType, nodeTypes } from '../../flow/node-types/node-types.ts';
import { type HostPattern, parseHostPattern } from '../../lib/host-pattern.ts';
import { variableName } from '../../lib/variable-name.ts';

/** One entry of a secrets file. */
export interface SecretEntry {
  name: string;
  value: string;
  /** Null when it names none. */
  hosts: readonly HostPattern[] | null;
  use: readonly NodeType[];
}

const pattern = z.string('must be a text').transform((text, context): HostPattern => {
  try {
    return parseHostPattern(text);
  } catch {
    // Its own words repeat what was written, which may be in the wrong place.
    context.addIssue({
      code: 'custom',
      message: 'is no host; write app.example.com, *.example.com, 10.0.0.0/8 or localhost:3000',
    });
    return z.NEVER;
  }
});

/** Those a secret can be used in at all. */
const types = (Object.keys(nodeTypes) as NodeType[]).filter((type) => entryOf(type).secrets !== 'never') as [
  NodeType,
  ...NodeType[],
];

const entrySchema = z.union([
  z.string().transform((value) => ({ value, hosts: undefined, use: undefined })),
  z.strictObject({
    value: z.string('must be a text'),
    hosts: z.array(pattern, 'must be a list of hosts').min(1, 'is empty; leave it out instead').optional(),
    use: z
      .array(z.enum(types, `must be one of: ${types.join(', ')}`), 'must be a list of node types')
      .min(1, 'is empty; leave it out instead')
      .optional(),
  }),
]);

/** What secrets are used for when nothing is said. */
export const defaultUse: readonly NodeType[] = ['type'];

/** Reads the text of a secrets file. Problems name entry and field, all at once, and never repeat what was written there. */
export function parseSecretsFile(text: string): { entries: SecretEntry[]; problems: string[] } {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\u{feff}/u, ''));
  } catch {
    // What the parser says of it quotes a part.
    return { entries: [], problems: ['holds no valid JSON'] };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { entries: [], problems: ['must hold an object: { "NAME": "value" }'] };
  }
  const entries: SecretEntry[] = [];
  const problems: string[] = [];
  for (const [index, [name, written]] of Object.entries(json).entries()) {
    const where = variableName.test(name) ? name : `entry ${index + 1}`;
    if (where !== name) problems.push(`${where}: ${nameProblem}`);
    const isText = typeof written === 'string';
    const parsed = (isText ? entrySchema.options[0] : entrySchema.options[1]).safeParse(written);
    if (parsed.success) {
      const { value, hosts = null, use = defaultUse } = parsed.data;
      if (where === name) entries.push({ name, value, hosts, use });
      continue;
    }
    for (const { code, path, message } of parsed.error.issues) {
      const field = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
      const said =
        code === 'unrecognized_keys'
          ? 'has fields other than value, hosts and use'
          : path.length === 0
            ? 'must be a text, or { "value": "…", "hosts": […], "use": […] }'
            : message;
      problems.push(`${where}${field}: ${said}`);
    }
  }
  return { entries, problems };
}

export const nameProblem =
  'the name must start with a letter or _ and hold only letters, digits, _ . - (at most 100)';
