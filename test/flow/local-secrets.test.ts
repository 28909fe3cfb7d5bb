import { describe, expect, it } from 'vitest';
import { secretsOfStep } from '../../src/flow/local-secrets.ts';
import { entryOf, type NodeType, nodeTypes } from '../../src/flow/node-types/node-types.ts';
import { secretsOf } from '../support/secret.ts';

const types = Object.keys(nodeTypes) as NodeType[];
const secrets = (use: readonly NodeType[] = types) =>
  secretsOf({ PW: { value: 'hunter2-x', use }, SEED: { value: 'JBSWY3DPEHPK3PXP', use } });
const judge = (type: NodeType, fields: Record<string, unknown>, use?: readonly NodeType[]) => {
  const { used, faults } = secretsOfStep({ nodeId: '1', type, fields }, secrets(use));
  return { used: used.map(({ name }) => name), faults };
};
const fieldsOf = (type: NodeType): string[] => Object.keys(entryOf(type).data.shape);

describe('a secret in a step', () => {
  it.each(types.filter((type) => entryOf(type).secrets === 'never'))(
    'stands in no field of a %s step, whatever its entry says',
    (type) => {
      for (const field of fieldsOf(type)) {
        expect(judge(type, { [field]: [{ deep: '{{PW}}' }] }).faults).toEqual([
          `the secret PW stands in ${field} of a ${type} step; no secret may be used in such a step`,
        ]);
      }
    },
  );

  it.each(types)(
    'never names a page, a frame or a variable of a %s step, nor stands in its programs',
    (type) => {
      const named = ['page', 'frame', 'opens', 'name', 'variable', 'expression', 'script'];
      for (const field of fieldsOf(type).filter((each) => named.includes(each))) {
        expect(judge(type, { [field]: ['x', '{{ PW }}'] }).faults, field).toHaveLength(1);
      }
    },
  );

  it('stands in the value of a type step and in the address of one that opens it, and in nothing else of them', () => {
    const may = types.flatMap((type) =>
      entryOf(type).secrets === 'page'
        ? []
        : fieldsOf(type).flatMap((field) =>
            judge(type, { [field]: '{{PW}}' }).faults.length === 0 ? [`${type}.${field}`] : [],
          ),
    );
    expect(may).toEqual(['navigate.url', 'navigate.referer', 'openPage.url', 'type.value']);
  });

  it('is looked for by those that may, if its entry says so', () => {
    expect(judge('assertion', { value: '{{PW}}' })).toEqual({ used: ['PW'], faults: [] });
    expect(judge('assertion', { value: '{{PW}}' }, ['type']).faults[0]).toContain(
      '"use": ["type","assertion"]',
    );
    expect(judge('assertion', { value: '{{OTHER}}' })).toEqual({ used: [], faults: [] });
  });
});

describe('the secret of a totp step', () => {
  it('is one that its name names, without braces, and whose entry says so', () => {
    expect(judge('totp', { selector: '#code', secret: 'SEED' })).toEqual({ used: ['SEED'], faults: [] });
    expect(judge('totp', { secret: 'SEED' }, ['type']).faults).toEqual([
      `the secret SEED may not be used in secret of a totp step, only in: type; to allow it, write "use": ["type","totp"] into the entry of SEED in this machine's secrets file (--secrets)`,
    ]);
    expect(judge('totp', { secret: '{{SEED}}' }).faults).toEqual([
      'the secret SEED stands in secret of a totp step; it is named in its secret, without braces',
    ]);
    expect(judge('totp', { secret: 'NONE' }).faults).toEqual(['this machine has no secret NONE (--secrets)']);
  });
});
