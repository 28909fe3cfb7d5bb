// What a bundle was made of: its bill of materials (CycloneDX) and the licences of the packages in it.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Licences that a package in a bundle may have. A new one is looked at by a person first, then added here. */
const knownLicences = ['MIT', 'Apache-2.0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0'];

/**
 * The packages whose code esbuild put into a bundle, sorted by name. Throws for a package whose licence is unknown or not there:
 * it may not be handed on.
 */
export function bundledPackages(metafile, root) {
  const folders = new Set();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const [folder] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path) ?? [];
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  }
  return [...folders].map((folder) => ({ ...readPackage(root, folder), isBundled: true })).sort(byName);
}

/** Packages that are installed beside the bundle, as package.json names them. */
export function packagesBeside(root) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.keys(dependencies)
    .map((name) => ({ ...readPackage(root, `node_modules/${name}`), isBundled: false }))
    .sort(byName);
}

/** A CycloneDX 1.6 document. The same packages always give the same text: it holds no time and no random number. */
export function billOfMaterials({ name, version, license }, packages) {
  const ref = purl({ name, version });
  const components = packages.map((part) => ({
    type: 'library',
    'bom-ref': purl(part),
    ...(part.name.startsWith('@')
      ? { group: part.name.split('/')[0], name: part.name.split('/')[1] }
      : { name: part.name }),
    version: part.version,
    scope: 'required',
    ...(part.sha512 === null ? {} : { hashes: [{ alg: 'SHA-512', content: part.sha512 }] }),
    licenses: [{ license: { id: part.license } }],
    purl: purl(part),
    properties: [{ name: 'qualinet:bundled', value: String(part.isBundled) }],
  }));
  const dependencies = [
    { ref, dependsOn: packages.map(purl) },
    ...packages.map((part) => ({
      ref: purl(part),
      dependsOn: packages.filter((other) => part.dependencies.includes(other.name)).map(purl),
    })),
  ];
  const hash = createHash('sha256')
    .update(JSON.stringify([ref, components]))
    .digest('hex');
  const uuid = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': ref,
        group: name.split('/')[0],
        name: name.split('/')[1],
        version,
        licenses: [{ license: { id: license } }],
        purl: ref,
      },
    },
    components,
    dependencies,
  };
}

/** The texts that the licences of bundled packages ask to be handed on. */
export function thirdPartyNotices(packages) {
  const rule = '-'.repeat(100);
  const introduction =
    'Packages whose code is part of this program, each with its licence. sbom.cdx.json lists them for programs.\n';
  return [
    introduction,
    ...packages
      .filter(({ isBundled }) => isBundled)
      .map(({ name, version, license, texts }) =>
        [rule, `${name} ${version} (${license})`, rule, '', ...texts].join('\n'),
      ),
  ].join('\n');
}

function readPackage(root, folder) {
  const path = join(root, folder);
  const {
    name,
    version,
    license,
    dependencies = {},
  } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  if (!knownLicences.includes(license)) {
    throw new Error(
      `${name} ${version} has the licence ${JSON.stringify(license)}, which scripts/bundle-inventory.js does not know`,
    );
  }
  const files = readdirSync(path).filter((file) => /^(licen[cs]e|notice|copying)(\.(md|txt))?$/i.test(file));
  if (!files.some((file) => !/^notice/i.test(file))) {
    throw new Error(`${name} ${version} has no licence file, so it cannot be bundled`);
  }
  return {
    name,
    version,
    license,
    sha512: sha512Of(root, folder),
    dependencies: Object.keys(dependencies),
    texts: files.sort().map((file) => `${readFileSync(join(path, file), 'utf8').trim()}\n`),
  };
}

/** Hash of the package's tarball by the lockfile, in hex; null where that has none. */
function sha512Of(root, folder) {
  const file = join(root, 'package-lock.json');
  const path = folder.slice(folder.indexOf('node_modules/'));
  const { integrity } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')).packages[path] ?? {}) : {};
  const [, base64] = /^sha512-(.+)$/.exec(integrity ?? '') ?? [];
  return base64 === undefined ? null : Buffer.from(base64, 'base64').toString('hex');
}

function purl({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function byName(a, b) {
  return a.name < b.name ? -1 : 1;
}
