import { entryOf, type NodeType, nodeTypes } from '../../src/flow/node-types/node-types.ts';
import { duration } from '../../src/lib/duration.ts';

/** docs/node-types.md, made from the table of node types. */
export function nodeTypesDocument(): string {
  return `${introduction}${(Object.keys(nodeTypes) as NodeType[]).map(row).join('\n')}\n${ending}`;
}

const introduction = `# Node types

Made from \`src/flow/node-types/\`; do not edit it here. After a change of those run
\`npx vitest run --config vitest.check.config.ts -u\`. The same as a JSON Schema, for editors: \`schemas/flow.schema.json\`.

Case does not matter in a type. A field that is not named here is refused, except empty ones and what an editor keeps for its readers
(\`label\`, \`description\`, \`comment\`, \`note\`, \`notes\`, \`icon\`, \`color\`, \`colour\`, \`style\`, \`className\`, \`category\`). Other spellings of a
field count where our own name is absent.

| type | what it does | fields of \`data\` | other spellings |
|---|---|---|---|
`;

const ending = `
A node of the type \`subflowStart\` (or \`reusable\`) begins a subflow; the only field of its \`data\` is \`name\`.

Fields that many types share:

| field | what it is |
|---|---|
| \`selector\`, \`selectors[]\` | ways to the element, the best first; all are looked for at the same time (docs/flows.md) |
| \`page\` | another page than the one the flow is in: \`main\`, \`latest\`, a name given by \`opens\` or \`openPage\`, a number from 0, or a part of its address |
| \`frame[]\` | the way from the page to a frame: numbers from 0, or selectors of the elements that hold it |
| \`opens\` | the step opens another page: wait for it, and give it this name |
| \`timeoutMs\` | time budget of the whole step; its default is in brackets |
| \`retries\`, \`retryDelayMs\` | how often the step is tried again after it failed, and after which rest |
`;

function row(type: NodeType): string {
  const { summary, data, defaultTimeoutMs, aliases, fieldAliases } = entryOf(type);
  const fields = Object.keys(data.shape).map((field) => {
    const name = field === 'selectors' || field === 'toSelectors' || field === 'frame' ? `${field}[]` : field;
    return field === 'timeoutMs' ? `\`timeoutMs\` (${duration(defaultTimeoutMs)})` : `\`${name}\``;
  });
  const spellings = [
    ...Object.entries(aliases).map(([alias, preset]) => `type \`${alias}\`${presetOf(preset)}`),
    ...Object.entries(fieldAliases).map(
      ([field, names]) => `${names.map((name) => `\`${name}\``).join(', ')} for \`${field}\``,
    ),
  ];
  return `| \`${type}\` | ${summary} | ${fields.join(', ')} | ${spellings.join('; ')} |`;
}

function presetOf(preset: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(preset).map(([field, value]) => `\`${field}\` ${String(value)}`);
  return entries.length === 0 ? '' : ` (${entries.join(', ')})`;
}
