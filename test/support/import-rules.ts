/** Folders of src/ -> the folders each may import from, besides itself. docs/architecture.md prints this table. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  protocol: ['lib'],
  flow: ['lib', 'protocol'],
  'command-line': ['lib'],
  recordings: ['lib', 'protocol', 'flow'],
  report: ['lib', 'protocol', 'flow'],
  browser: ['lib', 'protocol', 'flow'],
  agent: ['lib', 'protocol', 'flow', 'browser'],
  cli: ['lib', 'protocol', 'flow', 'recordings', 'report', 'browser', 'agent', 'command-line'],
  bridge: ['lib', 'protocol', 'flow'],
  'bridge/cli': ['lib', 'protocol', 'flow', 'command-line', 'bridge'],
  demo: ['lib'],
};

/** Folders within a folder of src/, each of which may import from those before it. Files beside them put all of it together. */
export const roomOrder: Readonly<Record<string, readonly string[]>> = {
  agent: [
    'config',
    'policy',
    'audit',
    'secrets',
    'client',
    'credentials',
    'spool',
    'lease',
    'life',
    'health',
  ],
  browser: ['install', 'step', 'egress', 'evidence', 'locating', 'pages', 'actions'],
  bridge: [
    'db',
    'events',
    'pictures',
    'leases',
    'tracing',
    'runners',
    'runs',
    'metrics',
    'intake',
    'http',
    'embedded',
    'distributed',
    'cli',
  ],
};

/** Packages -> the folders that may import them. Node's own modules are open to all. */
export const packageOwners: Readonly<Record<string, readonly string[]>> = {
  zod: ['protocol', 'flow', 'recordings', 'agent', 'cli', 'bridge', 'bridge/cli', 'command-line'],
  'http-message-sig': ['protocol'],
  'playwright-core': ['browser'],
  'proxy-chain': ['browser'],
  otpauth: ['browser'],
  acorn: ['recordings'],
  'ipaddr.js': ['browser'],
  undici: ['agent'],
  ky: ['agent'],
  'p-retry': ['agent', 'bridge'],
  eventsource: ['agent', 'bridge/cli'],
  cac: ['command-line'],
  consola: ['command-line'],
  tinyglobby: ['cli'],
  fastify: ['bridge'],
  'drizzle-orm': ['bridge'],
  '@electric-sql/pglite': ['bridge'],
  ioredis: ['bridge'],
  bullmq: ['bridge'],
  pg: ['bridge'],
  aws4fetch: ['bridge'],
  'prom-client': ['bridge'],
  '@opentelemetry/api': ['bridge'],
  '@opentelemetry/sdk-trace-base': ['bridge'],
  '@opentelemetry/resources': ['bridge'],
  '@opentelemetry/exporter-trace-otlp-http': ['bridge'],
};

/** Files that may read the process's environment: they hand it on as a value. */
const mayReadEnvironment: readonly string[] = ['command-line/process-context.ts', 'demo/main.ts'];

/** One source file as the rules see it. `path` is relative to src/. */
export interface SourceFile {
  path: string;
  text: string;
}

/** Every way in which these files break the house's rules, one sentence each. */
export function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...importViolations(file), ...habitViolations(file)]);
}

function importViolations({ path, text }: SourceFile): string[] {
  const folder = folderOf(path);
  const allowed = mayImport[folder];
  if (allowed === undefined) return [`${path}: the folder "${folder}" is not in the import table`];
  return importsOf(text).flatMap((specifier) => {
    if (specifier.startsWith('node:')) return [];
    if (!specifier.startsWith('.')) {
      const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
      if (packageOwners[name] === undefined)
        return [`${path}: the package ${name} has no owner in the table`];
      return packageOwners[name].includes(folder)
        ? []
        : [`${path}: ${name} belongs to ${packageOwners[name].join(', ')}`];
    }
    const resolved = resolvePath(path, specifier);
    const [own, theirs] = [roomOf(path), roomOf(resolved)];
    if (own !== null && own.folder === theirs?.folder && theirs.place > own.place) {
      return [
        `${path}: ${own.folder}/${own.name} may not import from ${theirs.folder}/${theirs.name} (${specifier})`,
      ];
    }
    const target = folderOf(resolved);
    if (target === folder || allowed.includes(target)) return [];
    return [`${path}: ${folder} may not import from ${target} (${specifier})`];
  });
}

function habitViolations({ path, text }: SourceFile): string[] {
  const code = withoutComments(text);
  return [
    ...(/\bprocess\.env\b/.test(code) && !mayReadEnvironment.includes(path)
      ? [`${path}: reads process.env`]
      : []),
    ...(/^export default\b/m.test(code) ? [`${path}: has a default export`] : []),
  ];
}

/** `bridge/http/app.ts` -> `bridge`; the bridge's own cli is a folder of its own. */
function folderOf(path: string): string {
  return path.startsWith('bridge/cli/') ? 'bridge/cli' : (path.split('/')[0] ?? '');
}

/** The room a file is in, and its place in the order; null for files elsewhere, and for those that lie beside the rooms. */
export function roomOf(path: string): { folder: string; name: string; place: number } | null {
  const [folder = '', name = '', ...below] = path.split('/');
  const order = roomOrder[folder];
  return order === undefined || below.length === 0 ? null : { folder, name, place: order.indexOf(name) };
}

function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const forms = [
    /^(?:import|export|\}) [^'\n]*\bfrom '([^'\n]+)'/gm,
    /^import\s*'([^'\n]+)'/gm,
    /\bimport\(\s*'([^'\n]+)'/g,
    /\brequire\(\s*'([^']+)'/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].flatMap(([, specifier]) => specifier ?? []));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function resolvePath(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
