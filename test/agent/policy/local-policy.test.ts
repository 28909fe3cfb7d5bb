import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLocalPolicy } from '../../../src/agent/policy/local-policy.ts';
import { policySummary } from '../../../src/agent/policy/policy-summary.ts';
import { ensurePolicyTakes, whyNotUpload } from '../../../src/agent/policy/refusals.ts';
import { EnvironmentError } from '../../../src/lib/errors.ts';
import { exitCode } from '../../../src/lib/exit-code.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function policyOf(content: unknown) {
  const path = join(await tempFolder(), 'policy.json');
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(path, text, { mode: 0o600 });
  const policy = await readLocalPolicy(path, { isNamed: true });
  if (policy === null) throw new Error('there is no policy');
  return policy;
}

async function problemsOf(content: unknown): Promise<readonly string[]> {
  const error: unknown = await policyOf(content).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EnvironmentError);
  const { problems, exitCode: code } = error as EnvironmentError;
  expect(code).toBe(exitCode.notReady);
  return problems;
}

const full = {
  hosts: ['*.corp.example', '10.0.0.0/8'],
  network: 'lan',
  allowHosts: ['localhost:3000'],
  nodeTypes: ['Navigate', 'goto', 'start', 'click'],
  maxRunSeconds: 600,
  uploads: ['s3.example'],
  bridges: ['https://bridge.example/'],
  workspaces: ['acme'],
  audit: 'required',
};

describe('a policy', () => {
  it('is read with all its rules, spelt as flows and addresses may be', async () => {
    const policy = await policyOf(full);
    expect(policy).toMatchObject({
      network: 'lan',
      nodeTypes: ['navigate', 'navigate', 'click'],
      maxRunMs: 600_000,
      bridges: ['https://bridge.example'],
      workspaces: ['acme'],
      isAuditRequired: true,
    });
    expect(policy.hosts.map(({ text }) => text)).toEqual(full.hosts);
    expect(policySummary(policy)).toContain('hosts *.corp.example, 10.0.0.0/8; network lan;');
  });

  it('without rules forbids nothing', async () => {
    const policy = await policyOf({});
    expect(policy).toMatchObject({ hosts: [], nodeTypes: [], network: null, maxRunMs: null, uploads: true });
    expect(policySummary(policy)).toBe('no rules');
  });

  it('with faults is refused with all of them at once, each by its field', async () => {
    const problems = await problemsOf({
      hosts: ['good.example', 'bad host', 7],
      nodeTypes: ['dance'],
      maxRunSeconds: '600',
      uploads: 'no',
      uplods: false,
      audit: 'yes',
      network: 'private',
    });
    expect(problems.join('\n')).toMatch(/^hosts\[1\]: .*bad host/m);
    expect(problems.join('\n')).toMatch(/^hosts\[2\]: must be a text/m);
    expect(problems.join('\n')).toMatch(/^nodeTypes\[0\]: "dance" is no node type; known are navigate/m);
    expect(problems.join('\n')).toMatch(/^maxRunSeconds: must be a whole number of seconds/m);
    expect(problems.join('\n')).toMatch(/^uploads: must be true, false or a list of hosts/m);
    expect(problems.join('\n')).toMatch(/^uplods: is no rule of a policy; did you mean uploads\?/m);
    expect(problems.join('\n')).toMatch(/^audit: can only be "required"/m);
    expect(problems.join('\n')).toMatch(/^network: must be open, lan, public/m);
  });

  it.each([
    ['', /no JSON/],
    ['[]', /must be an object/],
    ['null', /must be an object/],
    ['{"hosts": []}', /^hosts: names no host/],
    ['{"nodeTypes": []}', /^nodeTypes: names no node type/],
    ['{"maxRunSeconds": 0}', /^maxRunSeconds: must be at least 1/],
    ['{"__proto__": {"uploads": false}}', /^__proto__: is no rule/],
    ['{"a\\u001b[31m\\nb": 1}', /^a \[31m b: is no rule/],
  ])('%s is refused', async (text, problem) => {
    expect((await problemsOf(text))[0]).toMatch(problem);
  });

  it('that was named must be there; one that was not need not', async () => {
    const path = join(await tempFolder(), 'policy.json');
    await expect(readLocalPolicy(path, { isNamed: true })).rejects.toThrow(`the policy ${path} is not there`);
    expect(await readLocalPolicy(path, { isNamed: false })).toBeNull();
    expect(await readLocalPolicy(null, { isNamed: true })).toBeNull();
  });

  it('takes runs of its bridges and workspaces only', async () => {
    const policy = await policyOf(full);
    const taken = { apiBaseUrl: 'https://bridge.example', workspace: 'acme' };
    ensurePolicyTakes(taken, policy);
    expect(() => ensurePolicyTakes({ ...taken, workspace: 'other' }, policy)).toThrow('workspace other');
    expect(() => ensurePolicyTakes({ ...taken, apiBaseUrl: 'https://evil.example' }, policy)).toThrow(
      'bridge https://evil.example',
    );
  });

  it('lets pictures go to its hosts only', async () => {
    const policy = await policyOf(full);
    expect(whyNotUpload(null, policy)).toBeNull();
    expect(whyNotUpload(new URL('https://s3.example/x'), policy)).toBeNull();
    expect(whyNotUpload(new URL('https://s3.example.evil/x'), policy)).toContain('go to s3.example.evil');
    const none = await policyOf({ uploads: false });
    expect(whyNotUpload(null, none)).toContain(`"uploads" in ${none.path}`);
  });
});
