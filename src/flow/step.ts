import { fieldPath } from '../protocol/problem.ts';
import { type DataOf, entryOf, type NodeType } from './node-types/node-types.ts';
import { substitute, type Variables } from './variables.ts';

/** One node to execute. `fields` are those of its type, variables not yet replaced. */
export interface Step {
  nodeId: string;
  type: NodeType;
  fields: Readonly<Record<string, unknown>>;
  /** Of a node that branches: what each of its edges leads to, up to where the branches meet. Of a subflow: its steps, as `body`. */
  blocks?: Readonly<Record<string, Block>>;
}

/** Steps that run one after the other. */
export type Block = readonly Step[];

/** Every step in a block and in the blocks of its steps, each once. */
export function stepsIn(block: Block): Step[] {
  const found = new Set<Step>();
  const open = [...block].reverse();
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (found.has(step)) continue;
    found.add(step);
    open.push(
      ...Object.values(step.blocks ?? {})
        .flat()
        .reverse(),
    );
  }
  return [...found];
}

/** A step's data with every variable replaced, tagged with its type so that a switch narrows it. */
export type StepData = { [Type in NodeType]: { type: Type; data: DataOf<Type> } }[NodeType];

/** Ways to one element as `data` holds them. */
export interface Target {
  selector?: string | undefined;
  selectors?: readonly (string | readonly string[])[] | undefined;
}

/** The step's own selectors in priority order, each once: `selector`, then `selectors[]`; one that is a list as a chain with `>>`. */
export function candidatesOf({ selector, selectors = [] }: Target): string[] {
  const all = [...(selector === undefined ? [] : [selector]), ...selectors];
  return [
    ...new Set(all.map((candidate) => (typeof candidate === 'string' ? candidate : candidate.join(' >> ')))),
  ];
}

/** True when there is a way to an element. */
export function hasTarget({ selector, selectors = [] }: Target): boolean {
  return selector !== undefined || selectors.length > 0;
}

/** A step's time budget in ms. */
export function timeoutOf({ type, data }: StepData): number {
  return 'timeoutMs' in data && typeof data.timeoutMs === 'number'
    ? data.timeoutMs
    : entryOf(type).defaultTimeoutMs;
}

/**
 * Replaces the variables of a step and checks its data. Faults name the field: `url: is missing`.
 * A fault at this point, with all variables known, means that a variable holds something the field does not take.
 */
export function readStep(step: Step, variables: Variables): { step: StepData } | { faults: string[] } {
  const fields = substitute(step.fields, variables);
  const faults = stepFaults(step.type, fields, { isFinal: true });
  if (faults.length > 0) return { faults };
  return { step: { type: step.type, data: entryOf(step.type).data.parse(fields) } as StepData };
}

/**
 * What is wrong with the fields of a step. Values that still hold a `{{VAR}}` are taken on trust, unless they are final:
 * then a variable held those braces, and they mean nothing any more.
 */
export function stepFaults(
  type: NodeType,
  fields: Readonly<Record<string, unknown>>,
  { isFinal = false } = {},
): string[] {
  const { data: schema, needsTarget, faults: faultsTogether } = entryOf(type);
  const parsed = schema.safeParse(fields);
  const issues = (parsed.error?.issues ?? []).filter(({ path }) => isFinal || !holdsVariable(fields, path));
  const faults = issues.map(({ path, message }) => `${fieldPath(path)}: ${message}`);
  if (
    needsTarget === 'always' &&
    fields['selector'] === undefined &&
    [fields['selectors']].flat().every((item) => item === undefined)
  ) {
    faults.push('selector: is missing');
  }
  faults.push(...(faultsTogether?.(fields) ?? []));
  for (const name of ['url', 'referer']) {
    const url = fields[name];
    if (entryOf(type).secrets === 'address' && typeof url === 'string')
      faults.push(...urlFaults(url, { isFinal }));
  }
  return faults;
}

/** True when what stands at `path` will be known only when its variables are. */
function holdsVariable(fields: unknown, path: readonly PropertyKey[]): boolean {
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    fields,
  );
  return typeof value === 'string' && value.includes('{{');
}

/** Why a step may not go to `url`: only http and https leave the machine, and `about:blank` goes nowhere. */
export function urlFaults(url: string, { isFinal = false } = {}): string[] {
  const trimmed = url.trim();
  if (trimmed === '' || trimmed === 'about:blank') return [];
  if (!isFinal && trimmed.startsWith('{{')) return [];
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === undefined || /^[^/:]+:\d+(\/|$)/.test(trimmed)) {
    return [
      `url: "${shorten(trimmed)}" has no scheme; write https://${shorten(trimmed.replace(/^\/+/, ''))}`,
    ];
  }
  if (scheme !== 'http' && scheme !== 'https')
    return [`url: ${scheme}: addresses are not opened, only http: and https:`];
  if ((isFinal || !trimmed.includes('{{')) && !URL.canParse(trimmed))
    return [`url: "${shorten(trimmed)}" is no valid address`];
  return [];
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
