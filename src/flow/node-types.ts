import { z } from 'zod';
import { variableName } from '../lib/variable-name.ts';

/** Name of a node type as the engine knows it; flows may write it in any case. */
export type NodeType = keyof typeof nodeTypes;

/** A string that still holds a `{{VAR}}`: its shape can be judged only when the step runs. */
const placeholder = z.string().regex(/\{\{/, 'must be a whole number of milliseconds');

const selector = z.string('must be a text').trim().min(1, 'is empty').max(10_000);
/** Milliseconds, up to a quarter of an hour; forms give numbers as text. */
const milliseconds = (min: number) =>
  z
    .union(
      [z.number(), z.string().trim().regex(/^\d+$/).transform(Number)],
      'must be a whole number of milliseconds',
    )
    .pipe(
      z
        .number()
        .int('must be a whole number of milliseconds')
        .min(min, `must be at least ${min}`)
        .max(15 * 60_000, 'must be at most 900000 (15 minutes)'),
    );

/** Text as editors give it: a number typed into a form is text too. */
const text = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)], 'is missing')
  .pipe(z.string().max(100_000));

/** Where a step acts: a primary selector and those that stand in for it, tried together in this order. */
const target = {
  selector: selector.optional(),
  selectors: z.array(selector).max(50).optional(),
};

const timing = {
  /** Time budget of the whole step, all selectors together. */
  timeoutMs: z.union([placeholder, milliseconds(1)], 'must be a whole number of milliseconds').optional(),
};

interface NodeTypeEntry {
  /** Other spellings of the type; case never matters. */
  readonly aliases: readonly string[];
  /** Other names of a field of `data`, as editors write them: our name -> theirs, used where ours is absent. */
  readonly fieldAliases: Readonly<Record<string, readonly string[]>>;
  /** True when running the step twice may do something twice on the tested site. */
  readonly hasSideEffects: boolean;
  /** True when the step needs at least one selector. */
  readonly needsTarget: boolean;
  /** Time budget where the step says none. Source: Playwright's defaults for navigation and expect; 10 s for acting. */
  readonly defaultTimeoutMs: number;
  readonly summary: string;
  readonly data: z.ZodObject;
}

const actionTimeoutMs = 10_000;

/** THE table of node types: what a step's `data` holds and how the engine treats it. The action stands in browser/actions.ts. */
export const nodeTypes = {
  navigate: {
    aliases: ['goto'],
    fieldAliases: { timeoutMs: ['timeout'] },
    hasSideEffects: false,
    needsTarget: false,
    defaultTimeoutMs: 30_000,
    summary: 'Open `url` (http or https)',
    data: z.object({ url: z.string('is missing').trim().min(1, 'is empty').max(20_000), ...timing }),
  },
  click: {
    aliases: [],
    fieldAliases: { timeoutMs: ['timeout'] },
    hasSideEffects: true,
    needsTarget: true,
    defaultTimeoutMs: actionTimeoutMs,
    summary: 'Click the element',
    data: z.object({ ...target, ...timing }),
  },
  type: {
    aliases: ['fill'],
    fieldAliases: { value: ['text'], timeoutMs: ['timeout'] },
    hasSideEffects: true,
    needsTarget: true,
    defaultTimeoutMs: actionTimeoutMs,
    summary: 'Replace the content of the field by `value`',
    data: z.object({ ...target, value: text, ...timing }),
  },
  wait: {
    aliases: [],
    fieldAliases: { ms: ['duration', 'durationMs', 'milliseconds'] },
    hasSideEffects: false,
    needsTarget: false,
    defaultTimeoutMs: 16 * 60_000,
    summary: 'Wait `ms` milliseconds',
    data: z.object({
      ms: z.union([placeholder, milliseconds(0)], 'must be a whole number of milliseconds'),
    }),
  },
  assertion: {
    aliases: ['assert'],
    fieldAliases: { value: ['expected', 'text', 'expectedText'], timeoutMs: ['timeout'] },
    hasSideEffects: false,
    needsTarget: true,
    defaultTimeoutMs: 5_000,
    summary: 'The text of the element is `value`, white space folded; waits until it is',
    data: z.object({ ...target, value: text, ...timing }),
  },
  extract: {
    aliases: [],
    fieldAliases: { variable: ['variableName', 'saveAs', 'saveTo', 'as', 'name'], timeoutMs: ['timeout'] },
    hasSideEffects: false,
    needsTarget: true,
    defaultTimeoutMs: actionTimeoutMs,
    summary: 'Save the text of the element in `variable`, for the steps after it',
    data: z.object({
      ...target,
      variable: z
        .string('is missing')
        .regex(variableName, 'must start with a letter or _ and hold only letters, digits, _ . -'),
      ...timing,
    }),
  },
} as const satisfies Record<string, NodeTypeEntry>;

/** The `data` of one node type, aliases resolved and variables in place. */
export type DataOf<Type extends NodeType> = z.output<(typeof nodeTypes)[Type]['data']>;

/** React Flow and editor nodes that carry no step; they are passed over where no edge touches them. */
export const decorations: ReadonlySet<string> = new Set(['group', 'note', 'comment', 'annotation']);

/** The type a node's `type` names (`Click`, `click`, `fill`); null for an unknown one. */
export function nodeTypeNamed(written: string): NodeType | null {
  return typesByName.get(written.trim().toLowerCase()) ?? null;
}

/** True for `start` in any case. */
export function isStart(written: string): boolean {
  return written.trim().toLowerCase() === 'start';
}

/** The fields of `data` this type reads, under our names, taken from an alias where ours is absent; everything else is left out. */
export function fieldsOf(type: NodeType, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entry: NodeTypeEntry = nodeTypes[type];
  const fields: Record<string, unknown> = {};
  for (const field of Object.keys(entry.data.shape)) {
    const written = [field, ...(entry.fieldAliases[field] ?? [])].find((name) => isGiven(data[name]));
    if (written !== undefined) fields[field] = data[written];
  }
  return fields;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

const typesByName: ReadonlyMap<string, NodeType> = new Map(
  (Object.keys(nodeTypes) as NodeType[]).flatMap((type) =>
    [type, ...nodeTypes[type].aliases].map((name) => [name, type]),
  ),
);
