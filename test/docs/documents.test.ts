import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { agentSettings } from '../../src/agent/config/agent-config.ts';
import type { Setting } from '../../src/agent/config/setting.ts';
import { qualinetBridge } from '../../src/bridge/cli/command-table.ts';
import { qualinet } from '../../src/cli/command-table.ts';
import { flowSchema } from '../support/flow-schema.ts';
import { mayImport, packageOwners, roomOrder } from '../support/import-rules.ts';
import { nodeTypesDocument } from '../support/node-types-document.ts';
import { protocolDocument } from '../support/protocol-document.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('docs/protocol.md', () => {
  it('is what the tables of the protocol say', async () => {
    await expect(protocolDocument()).toMatchFileSnapshot(join(root, 'docs/protocol.md'));
  });
});

describe('docs/architecture.md', () => {
  it('prints the import table', () => {
    const text = read('docs/architecture.md');
    for (const [folder, allowed] of Object.entries(mayImport)) {
      expect(text).toContain(
        `| \`${folder}\` | ${allowed.map((name) => `\`${name}\``).join(', ') || 'nothing'} |`,
      );
    }
    for (const [name, owners] of Object.entries(packageOwners)) {
      expect(text).toContain(`| ${name} | ${owners.map((owner) => `\`${owner}\``).join(', ')} |`);
    }
  });
});

describe('docs/architecture.md, about files', () => {
  const text = read('docs/architecture.md');

  it.each(Object.entries(roomOrder))('prints the order of the folders of %s', (_folder, order) => {
    expect(text.replaceAll('\n', ' ')).toContain(order.map((name) => `\`${name}\``).join(', '));
  });

  it('names only files that are there', () => {
    const named = [...text.matchAll(/`((?:agent|bridge|browser|cli|flow|protocol)\/[a-z/-]+\.ts)`/g)];
    expect(named.length).toBeGreaterThan(20);
    for (const [, path] of named) expect(() => read(`src/${path}`)).not.toThrow();
  });
});

describe('docs/node-types.md', () => {
  it('is what the table of node types says', async () => {
    await expect(nodeTypesDocument()).toMatchFileSnapshot(join(root, 'docs/node-types.md'));
  });
});

describe('schemas/flow.schema.json', () => {
  it('is what the table of node types says', async () => {
    const text = `${JSON.stringify(flowSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(root, 'schemas/flow.schema.json'));
  });
});

describe('docs/operations.md', () => {
  const text = read('docs/operations.md');
  const table = text.slice(text.indexOf('\n## The runner\n'), text.indexOf('### Pairing a machine'));

  it('has every variable and option of the runner in its table', () => {
    const settings = Object.values<Setting>(agentSettings);
    // Proxies have their names in lower case, too, which their section says.
    const named = settings.flatMap(({ variables, flag }) => [
      ...variables.filter((name) => name === name.toUpperCase()),
      ...(flag === undefined ? [] : [flag]),
    ]);
    for (const name of named) expect(table).toContain(`\`${name}\``);
  });

  it('has each section once', () => {
    const titles = [...text.matchAll(/^##+ .+$/gm)].map(([title]) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it('leads only to sections that it has', () => {
    const sections = [...text.matchAll(/^##+ (.+)$/gm)].map(([, title]) =>
      (title ?? '').toLowerCase().replaceAll(' ', '-'),
    );
    for (const [, section] of text.matchAll(/\]\(#([^)]+)\)/g)) expect(sections).toContain(section);
  });
});

describe('README.md', () => {
  const text = read('README.md');

  it('is short enough to be read', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(130);
  });

  it('lists every command', () => {
    for (const program of [qualinet, qualinetBridge]) {
      for (const { name } of program.commands) expect(text).toContain(`\`${program.name} ${name}`);
    }
  });

  it('leads only to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(() => read(link)).not.toThrow();
  });
});

describe('decision records', () => {
  it('are numbered without gaps and say what was decided and why', () => {
    const files = readdirSync(join(root, 'docs/decisions')).sort();
    expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
    for (const file of files)
      expect(read(`docs/decisions/${file}`)).toMatch(/^# .+\n\n(.|\n)*\*\*Decided\*\*(.|\n)*\*\*Why\*\*/);
  });
});
