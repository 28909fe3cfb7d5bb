import { createHash } from 'node:crypto';
import type { artifactTypes } from '../../protocol/messages.ts';

/** Content type of a picture. */
export type PictureType = (typeof artifactTypes)[number];

/**
 * Where a picture is stored: `runs/<run>/<fence>/<step>-<sha256>.<extension>`, so that the same upload again is the same
 * object, and nobody can guess it.
 */
export function pictureKey(picture: {
  runId: string;
  fence: number;
  nodeId: string;
  sha256: string;
  contentType: PictureType;
}): string {
  const { runId, fence, nodeId, sha256, contentType } = picture;
  return `runs/${runId}/${fence}/${shortHash(nodeId)}-${sha256}.${extensions[contentType]}`;
}

/** What the key of a picture says about it; null for anything that is no such key. */
export function readPictureKey(key: string): { contentType: PictureType; sha256: string } | null {
  const [, sha256, extension] = form.exec(key) ?? [];
  const contentType = pictureTypes.find((type) => extensions[type] === extension);
  return sha256 === undefined || contentType === undefined ? null : { contentType, sha256 };
}

const extensions: Record<PictureType, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
};

const pictureTypes = Object.keys(extensions) as PictureType[];

const form =
  /^runs\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/\d{1,9}\/[0-9a-f]{16}-([0-9a-f]{64})\.(png|jpg|webp)$/;

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
