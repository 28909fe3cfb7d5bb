import { z } from 'zod';
import { decorativeFields, entryOf, type NodeType, nodeTypes } from '../../src/flow/node-types/node-types.ts';

type JsonSchema = Record<string, unknown>;

/** schemas/flow.schema.json: the format of a flow file, made from the table of node types, for editors that check while one types. */
export function flowSchema(): JsonSchema {
  const types = Object.keys(nodeTypes) as NodeType[];
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Flow of qualinet',
    description:
      'Nodes and edges as toObject() of React Flow writes them, optionally with a name and default values of variables.',
    type: 'object',
    required: ['nodes', 'edges'],
    properties: {
      name: { type: 'string', maxLength: 200 },
      variables: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
      nodes: { type: 'array', items: { $ref: '#/$defs/node' } },
      edges: { type: 'array', items: { $ref: '#/$defs/edge' } },
    },
    $defs: {
      node: {
        type: 'object',
        required: ['id', 'type'],
        properties: {
          id: { type: ['string', 'number'] },
          type: {
            enum: [
              'start',
              'subflowStart',
              'group',
              'note',
              'comment',
              'annotation',
              ...types.flatMap(spellings),
            ],
          },
        },
        allOf: types.map((type) => ({
          if: { properties: { type: { enum: spellings(type) } } },
          // biome-ignore lint/suspicious/noThenProperty: the name is JSON Schema's
          then: { properties: { data: { $ref: `#/$defs/${type}` } } },
        })),
      },
      edge: {
        type: 'object',
        required: ['source', 'target'],
        properties: {
          source: { type: ['string', 'number'] },
          target: { type: ['string', 'number'] },
          sourceHandle: {
            description:
              'Of an edge out of a node that branches: true or false of an if, body or done of a loop.',
            type: ['string', 'null'],
          },
        },
      },
      variableReference: { type: 'string', pattern: '\\{\\{' },
      ...Object.fromEntries(types.map((type) => [type, dataSchema(type)])),
    },
  };
}

/** How flows may write a type; case does not matter to the engine, but does to JSON Schema. */
function spellings(type: NodeType): string[] {
  const capitalised = `${type.charAt(0).toUpperCase()}${type.slice(1)}`;
  return [...new Set([type, capitalised, type.toLowerCase(), ...Object.keys(entryOf(type).aliases)])];
}

function dataSchema(type: NodeType): JsonSchema {
  const { data, summary, fieldAliases } = entryOf(type);
  const {
    properties,
    $schema: _,
    ...rest
  } = z.toJSONSchema(data, { io: 'input' }) as JsonSchema & {
    properties: Record<string, JsonSchema>;
  };
  const known = Object.fromEntries(
    Object.entries(properties).map(([field, schema]) => [field, orVariable(schema)]),
  );
  const others = Object.entries(fieldAliases).flatMap(([field, names]) =>
    names.filter((name) => !(name in known)).map((name) => [name, known[field] ?? {}] as const),
  );
  // A field that is needed may stand there under another of its names.
  const needed = ((rest['required'] ?? []) as string[]).map((field) => ({
    anyOf: [field, ...(fieldAliases[field] ?? [])].map((name) => ({ required: [name] })),
  }));
  return {
    ...rest,
    required: [],
    ...(needed.length === 0 ? {} : { allOf: needed }),
    description: summary,
    properties: {
      ...known,
      ...Object.fromEntries(others),
      ...Object.fromEntries(decorativeFields.map((field) => [field, {}])),
    },
  };
}

/** A number or a word may also be a `{{VARIABLE}}`. */
function orVariable(schema: JsonSchema): JsonSchema {
  const takesAnyText = schema['type'] === 'string' && schema['enum'] === undefined;
  if (takesAnyText || ['array', 'object'].includes(String(schema['type']))) return schema;
  const kinds = Array.isArray(schema['anyOf']) ? (schema['anyOf'] as JsonSchema[]) : [schema];
  return { anyOf: [...kinds, { $ref: '#/$defs/variableReference' }] };
}
