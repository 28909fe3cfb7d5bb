import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pictureKey } from '../../src/bridge/pictures/picture-key.ts';
import { limits } from '../../src/protocol/limits.ts';
import type { OpenedStores } from './open-store.ts';

/** Pictures that the bridge keeps itself. */
export function blobsContract(opened: () => OpenedStores): void {
  const blobs = () => opened().blobs;
  const newKey = () =>
    pictureKey({
      runId: randomUUID(),
      fence: 1,
      nodeId: 'a',
      sha256: 'a'.repeat(64),
      contentType: 'image/png',
    });

  describe('a stored picture', () => {
    it('is read as it was put, every byte of it, under its own key only', async () => {
      const key = newKey();
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      await blobs().put(key, bytes);
      expect(await blobs().read(key)).toEqual(bytes);
      expect(await blobs().read(newKey())).toBeNull();
      expect(await blobs().read(key.slice(0, -1))).toBeNull();
    });

    it('may be as large as one is taken, and part of a larger buffer', async () => {
      const key = newKey();
      const whole = new Uint8Array(limits.artifactBytes + 2).fill(7);
      const view = whole.subarray(1, -1).fill(200);
      await blobs().put(key, view);
      expect(Buffer.compare((await blobs().read(key)) ?? Buffer.alloc(0), view)).toBe(0);
    });

    it('may be put again, also at the same time', async () => {
      const key = newKey();
      const bytes = Buffer.from('once and again');
      await Promise.all([1, 2, 3, 4].map(() => blobs().put(key, bytes)));
      await blobs().put(key, bytes);
      expect(await blobs().read(key)).toEqual(bytes);
    });

    it('is there whole or not at all for whoever reads while it is put', async () => {
      const key = newKey();
      const bytes = Buffer.alloc(1024 * 1024, 9);
      let isPut = false;
      const putting = blobs()
        .put(key, bytes)
        .then(() => {
          isPut = true;
        });
      const lengths = new Set<number | null>();
      while (!isPut) lengths.add((await blobs().read(key))?.length ?? null);
      await putting;
      lengths.add((await blobs().read(key))?.length ?? null);
      expect([...lengths].filter((length) => length !== null)).toEqual([bytes.length]);
    });
  });
}
