// Bundles both programs and the demo into dist/. Run by itself or through the other scripts.
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { billOfMaterials, bundledPackages, packagesBeside, thirdPartyNotices } from './bundle-inventory.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is built: name of the folder under dist/ and the module that holds its `main`. */
const programs = {
  runner: 'src/cli/main.ts',
  bridge: 'src/bridge/cli/main.ts',
  demo: 'src/demo/main.ts',
};

/** Builds all programs, unless dist/ was built from just these sources. Throws with esbuild's message when one cannot be built. */
export async function build() {
  const stamp = join(root, 'dist/built-from');
  const sources = await hashOfSources();
  if ((await readFile(stamp, 'utf8').catch(() => '')) === sources) return;
  await rm(join(root, 'dist'), { recursive: true, force: true });
  const [runner] = await Promise.all([
    // What customers install is one file that they can read; the others load faster in parts.
    bundle('runner', programs.runner, { splitting: false, plugins: [smallPackages] }),
    bundle('bridge', programs.bridge),
    bundle('demo', programs.demo),
  ]);
  await writeInventory('runner', runner);
  await copyBridgeFiles();
  await writeFile(stamp, sources);
}

/**
 * Bundles one program into dist/<name>/main.js and, with `splitting`, its chunks; `beside` are further programs for the same
 * folder, by name. `packages: 'external'` leaves packages in node_modules, for programs that never leave this repository.
 * Gives esbuild's account of what went into it.
 */
export async function bundle(
  name,
  entry,
  { beside = {}, packages = 'bundle', splitting = true, plugins = [] } = {},
) {
  const esbuild = await import('esbuild');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { main: entry, ...beside },
    outdir: `dist/${name}`,
    bundle: true,
    metafile: true,
    // Commands are imported lazily: splitting keeps what one command does not need out of its start.
    splitting,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['playwright-core', 'playwright'],
    plugins,
    packages,
    legalComments: 'none',
    logLevel: 'warning',
    define: { QUALINET_VERSION: JSON.stringify(version) },
    // Dependencies that are CommonJS inside call require for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return metafile;
}

/**
 * Makes the code of packages small, and leaves ours as it is: whoever reads the bundle reads ours, and can compare the packages with what is published of
 * them. Node holds the whole text and reads all of it at every start.
 */
const smallPackages = {
  name: 'small packages',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      const small = await build.esbuild.transform(code, { minify: true, loader: 'js', sourcefile: path });
      return { contents: small.code, loader: 'js' };
    });
  },
};

/** Writes what a program that is handed on must say about the packages in it. Throws when one of them may not be. */
async function writeInventory(name, metafile) {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const packages = [...bundledPackages(metafile, root), ...packagesBeside(root)];
  const folder = join(root, 'dist', name);
  await writeFile(
    join(folder, 'sbom.cdx.json'),
    `${JSON.stringify(billOfMaterials(manifest, packages), null, 2)}\n`,
  );
  await writeFile(join(folder, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(packages));
}

/** One hash over everything that goes into dist/. */
async function hashOfSources() {
  const entries = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash('sha256');
  for (const file of [
    ...files.sort(),
    join(root, 'package.json'),
    join(root, 'package-lock.json'),
    fileURLToPath(import.meta.url),
    join(root, 'scripts/bundle-inventory.js'),
  ]) {
    hash.update(file).update(await readFile(file));
  }
  return hash.digest('hex');
}

/** Files the bridge reads at run time beside its code: the database engine's and the migrations. */
async function copyBridgeFiles() {
  const target = join(root, 'dist/bridge');
  await mkdir(target, { recursive: true });
  const engine = dirname(fileURLToPath(import.meta.resolve('@electric-sql/pglite')));
  await Promise.all([
    ...['pglite.wasm', 'pglite.data', 'initdb.wasm'].map((file) =>
      cp(join(engine, file), join(target, file)),
    ),
    ...['migrations', 'embedded-migrations'].map((folder) =>
      cp(join(root, 'src/bridge/db', folder), join(target, folder), { recursive: true }),
    ),
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { installPackages } = await import('./prepare.js');
  installPackages();
  await build();
}
