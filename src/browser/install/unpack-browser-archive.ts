import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliDecompress, createBrotliDecompress, gunzip } from 'node:zlib';

/**
 * Unpacks the npm package @sparticuz/chromium (its .tgz) into `folder`: `chromium`, its graphics libraries beside it,
 * `fonts/` with a `fonts.conf`, and `lib/` with the system libraries a bare machine lacks.
 * Only data is taken; no code of the package runs. Every file belongs to this user alone: the archives name other
 * owners, who could change what a root user's browser loads.
 * Throws what reading or writing throws, and an Error when the archive has another shape.
 */
export async function unpackBrowserArchive(tgz: Uint8Array, folder: string): Promise<void> {
  const packed = new Map(tarFiles(await promisify(gunzip)(tgz)));
  const take = (name: string): Buffer => {
    const data = packed.get(`package/bin/${name}`);
    if (data === undefined) throw new Error(`the package holds no bin/${name}`);
    return data;
  };
  const takeFiles = async (name: string): Promise<[string, Buffer][]> =>
    tarFiles(await promisify(brotliDecompress)(take(name)));

  const fonts = (await takeFiles('fonts.tar.br')).filter(([path]) => path.startsWith('fonts/'));
  const libraries = (await takeFiles('al2023.tar.br')).filter(([path]) => path.startsWith('lib/'));
  const files = [...fonts, ...libraries, ...(await takeFiles('swiftshader.tar.br'))];
  for (const [path, data] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, path), data, { flag: 'wx', mode: 0o600 });
  }
  await writeFile(join(folder, 'fonts.conf'), fontsConf, { flag: 'wx', mode: 0o600 });
  const binary = await open(join(folder, 'chromium'), 'wx', 0o700);
  await pipeline(
    Readable.from([take('chromium.br')]),
    createBrotliDecompress(),
    binary.createWriteStream({ flush: true }),
  );
}

// The package's own fonts.conf looks for fonts in /tmp/fonts, where any local user could put them. The system's fonts
// come first; without any font at all Chromium draws no text and gives it no width.
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
</fontconfig>
`;

const blockSize = 512;

/** The plain files of a tar archive in ustar format. Throws on a damaged archive and on paths that lead out of it. */
function tarFiles(tar: Buffer): [string, Buffer][] {
  const files: [string, Buffer][] = [];
  for (let at = 0; at + blockSize <= tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + blockSize);
    const size = Number.parseInt(textField(header, 124, 12), 8);
    const start = at + blockSize;
    if (!Number.isInteger(size) || start + size > tar.length) throw new Error('the archive is damaged');
    const type = textField(header, 156, 1);
    if (type === '' || type === '0') {
      const prefix = textField(header, 257, 5) === 'ustar' ? textField(header, 345, 155) : '';
      const path = join(prefix, textField(header, 0, 100));
      if (path.startsWith('/') || path.split('/').includes('..')) {
        throw new Error(`the archive holds a path that leads out of it: ${path}`);
      }
      files.push([path, tar.subarray(start, start + size)]);
    }
    at = start + Math.ceil(size / blockSize) * blockSize;
  }
  return files;
}

function textField(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}
