import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { tempFolder } from '../support/temp-folder.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  name: string;
  version: string;
  engines: { node: string };
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

let files: string[];
let bundle: string;
beforeAll(() => {
  if (!existsSync(join(root, 'dist/runner/main.js'))) throw new Error('dist/ is missing; run: npm run build');
  const printed = execFileSync('npm', ['pack', '--json', '--dry-run', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [packed] = JSON.parse(printed) as [{ files: { path: string }[] }];
  files = packed.files.map(({ path }) => path);
  bundle = read('dist/runner/main.js');
});

describe('the published package', () => {
  it('is one bundled file, its guard, the schema of flows, and what must be said about it', () => {
    expect([...files].sort()).toEqual([
      'LICENSE',
      'README.md',
      'bin/qualinet.js',
      'dist/runner/THIRD_PARTY_NOTICES.txt',
      'dist/runner/main.js',
      'dist/runner/sbom.cdx.json',
      'package.json',
      'schemas/flow.schema.json',
    ]);
  });

  it('has nothing that publint finds, not even a suggestion', async () => {
    const { messages, pkg } = await publint({ pkgDir: root, pack: 'npm', strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('runs nothing when it is installed', () => {
    const atInstall = [
      'preinstall',
      'install',
      'postinstall',
      'prepublish',
      'preprepare',
      'prepare',
      'postprepare',
    ];
    expect(Object.keys(manifest.scripts).filter((name) => atInstall.includes(name))).toEqual([]);
    expect(files.filter((file) => file.endsWith('binding.gyp'))).toEqual([]);
    for (const name of Object.keys(manifest.dependencies)) {
      const { scripts = {} } = JSON.parse(read(`node_modules/${name}/package.json`)) as {
        scripts?: Record<string, string>;
      };
      expect(Object.keys(scripts).filter((script) => atInstall.includes(script))).toEqual([]);
    }
  });

  it('has exact versions only, and asks for the Node that the guard asks for', () => {
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(version).toMatch(/^(npm:[a-z0-9]+@)?\d+\.\d+\.\d+$/);
    }
    expect(manifest.engines.node).toBe('>=20.19.0');
    expect(read('bin/qualinet.js')).toContain('needs Node.js 20.19 or newer');
  });

  it('knows no folder of the machine it was built on, no source map and no registry', () => {
    const folders = [root, homedir()].filter((folder) => folder !== '/');
    for (const file of files) {
      const text = read(file);
      expect(folders.filter((folder) => text.includes(`${folder}/`))).toEqual([]);
      expect(text).not.toContain('sourceMappingURL');
      if (file.startsWith('dist/') && file.endsWith('.js'))
        expect(text).not.toMatch(/registry\.[a-z0-9-]+\.[a-z]{2,}/);
    }
    expect(files.filter((file) => file.endsWith('.map'))).toEqual([]);
  });
});

/** CycloneDX 1.6 as far as the document uses it; a field that is not named here is a fault. Source: its JSON schema. */
const purl = z.string().regex(/^pkg:npm\/(%40[a-z0-9-]+\/)?[a-z0-9._-]+@\d+\.\d+\.\d+$/);
const licenses = z.array(z.strictObject({ license: z.strictObject({ id: z.string() }) })).min(1);
const named = {
  'bom-ref': z.string().min(1),
  group: z.string().min(1).optional(),
  name: z.string().min(1),
  version: z.string().min(1),
  licenses,
  purl,
};
const bomSchema = z.strictObject({
  $schema: z.literal('http://cyclonedx.org/schema/bom-1.6.schema.json'),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  version: z.int().min(1),
  metadata: z.strictObject({ component: z.strictObject({ type: z.literal('application'), ...named }) }),
  components: z.array(
    z.strictObject({
      type: z.literal('library'),
      ...named,
      scope: z.literal('required'),
      hashes: z.array(
        z.strictObject({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) }),
      ),
      properties: z.array(z.strictObject({ name: z.string(), value: z.string() })),
    }),
  ),
  dependencies: z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

describe('the bill of materials', () => {
  const bom = () => bomSchema.parse(JSON.parse(read('dist/runner/sbom.cdx.json')));

  it('keeps to its schema, names each thing once and refers to nothing else', () => {
    const { metadata, components, dependencies } = bom();
    const refs = [metadata.component, ...components].map((part) => part['bom-ref']);
    expect(new Set(refs).size).toBe(refs.length);
    expect(dependencies.map(({ ref }) => ref).sort()).toEqual([...refs].sort());
    for (const { dependsOn } of dependencies) {
      expect(new Set(dependsOn).size).toBe(dependsOn.length);
      for (const ref of dependsOn) expect(refs).toContain(ref);
    }
    expect(metadata.component).toMatchObject({
      group: '@qualitas-id',
      name: 'qualinet',
      version: manifest.version,
      licenses: [{ license: { id: 'MIT' } }],
    });
  });

  it('lists exactly the packages whose code is in the bundle, and playwright-core beside it', () => {
    // esbuild writes above each module where it came from.
    const inBundle = new Set(
      [...bundle.matchAll(/^\/\/ \S*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm)].map(([, name]) => name),
    );
    expect(inBundle.size).toBeGreaterThan(5);
    const listed = (isBundled: boolean): string[] =>
      bom()
        .components.filter(({ properties }) =>
          properties.some(({ name, value }) => name === 'qualinet:bundled' && value === String(isBundled)),
        )
        .map(({ group, name }) => (group === undefined ? name : `${group}/${name}`))
        .sort();
    expect(listed(true)).toEqual([...inBundle].sort());
    expect(listed(false)).toEqual(Object.keys(manifest.dependencies));
  });

  it('gives the versions and hashes of the lockfile', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { version: string; integrity: string; license: string }>;
    };
    for (const { group, name, version, hashes, licenses: given } of bom().components) {
      const locked = packages[`node_modules/${group === undefined ? name : `${group}/${name}`}`];
      expect(version).toBe(locked?.version);
      expect(given).toEqual([{ license: { id: locked?.license } }]);
      const hash = Buffer.from(hashes[0]?.content ?? '', 'hex').toString('base64');
      expect(`sha512-${hash}`).toBe(locked?.integrity);
    }
  });
});

describe('the notices', () => {
  it('hold the whole licence of every bundled package', () => {
    const notices = read('dist/runner/THIRD_PARTY_NOTICES.txt');
    const { components } = bomSchema.parse(JSON.parse(read('dist/runner/sbom.cdx.json')));
    for (const { group, name, version, properties } of components) {
      const full = group === undefined ? name : `${group}/${name}`;
      const isBundled = properties[0]?.value === 'true';
      expect(notices.includes(`\n${full} ${version} (`)).toBe(isBundled);
    }
    expect(notices.match(/^Copyright |Copyright \(c\)|Apache License/gim)?.length).toBeGreaterThan(
      components.length - 2,
    );
  });
});

interface Inventory {
  bundledPackages(metafile: unknown, root: string): { name: string; texts: string[] }[];
}

describe('a build', () => {
  const metafile = (...names: string[]) => ({
    outputs: {
      'main.js': {
        inputs: Object.fromEntries(
          names.map((name) => [`node_modules/${name}/index.js`, { bytesInOutput: 1 }]),
        ),
      },
    },
  });

  async function rootWith(packages: Record<string, object | string>): Promise<string> {
    const folder = await tempFolder();
    for (const [path, content] of Object.entries(packages)) {
      const file = join(folder, 'node_modules', path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    }
    return folder;
  }

  const inventory = async (): Promise<Inventory> =>
    (await import(pathToFileURL(join(root, 'scripts/bundle-inventory.js')).href)) as Inventory;

  it('takes licence and notice of a package, whatever their files are called', async () => {
    const { bundledPackages } = await inventory();
    const folder = await rootWith({
      '@a/b/package.json': { name: '@a/b', version: '1.2.3', license: 'Apache-2.0' },
      '@a/b/license.md': 'the licence',
      '@a/b/NOTICE': 'the notice',
    });
    expect(bundledPackages(metafile('@a/b'), folder)).toMatchObject([
      { name: '@a/b', texts: ['the notice\n', 'the licence\n'] },
    ]);
  });

  it.each([
    ['without a licence file', { license: 'MIT' }, null, 'a 1.0.0 has no licence file'],
    ['with a notice only', { license: 'MIT' }, 'NOTICE', 'a 1.0.0 has no licence file'],
    [
      'under a licence nobody has looked at',
      { license: 'SSPL-1.0' },
      'LICENSE',
      'has the licence "SSPL-1.0"',
    ],
    ['that names no licence', {}, 'LICENSE', 'has the licence undefined'],
  ])('fails for a package %s', async (_, license, file, message) => {
    const { bundledPackages } = await inventory();
    const folder = await rootWith({
      'a/package.json': { name: 'a', version: '1.0.0', ...license },
      ...(file === null ? {} : { [`a/${file}`]: 'text' }),
    });
    expect(() => bundledPackages(metafile('a'), folder)).toThrow(message);
  });
});
