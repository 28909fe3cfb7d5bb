// Bundles both programs, the demo and the benchmarks into dist/. Run by itself or through the other scripts.
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is built: name of the folder under dist/ and the module that holds its `main`. */
const programs = {
  runner: 'src/cli/main.ts',
  bridge: 'src/bridge/cli/main.ts',
  demo: 'src/demo/main.ts',
  bench: 'test/bench/main.ts',
};

/** Builds all programs. Throws with esbuild's message when one cannot be built. */
export async function build() {
  const { build: bundle } = await import('esbuild');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await rm(join(root, 'dist'), { recursive: true, force: true });
  await Promise.all(
    Object.entries(programs).map(([name, entry]) =>
      bundle({
        absWorkingDir: root,
        entryPoints: { main: entry },
        outdir: `dist/${name}`,
        bundle: true,
        // Commands are imported lazily: splitting keeps what one command does not need out of its start.
        splitting: true,
        format: 'esm',
        platform: 'node',
        target: 'node20.19',
        external: ['playwright-core'],
        keepNames: true,
        legalComments: 'none',
        logLevel: 'warning',
        define: { QUALINET_VERSION: JSON.stringify(version) },
        // Dependencies that are CommonJS inside call require for Node's own modules.
        banner: {
          js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
        },
      }),
    ),
  );
  await copyBridgeFiles();
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
