import { readFile } from 'node:fs/promises';
import type { SpoolDisk } from './spool-disk.ts';
import { type Picture, pictureIn } from './spool-layout.ts';
import type { SpoolRoom } from './spool-room.ts';

/** A picture that is kept on disk until it is uploaded. */
export interface KeptPicture {
  readonly nodeId: string;
  /** Throws when it is gone: it had to make room. */
  read(): Promise<Picture>;
  /** It was uploaded, or is not wanted. */
  drop(): Promise<void>;
}

/** The pictures of one lease. */
export interface KeptPictures {
  add(path: string, about: { nodeId: string; bytes: number }): KeptPicture;
  /** Oldest first. */
  readonly all: () => KeptPicture[];
  /** Their folder goes, and they with it. */
  forgetAll(): void;
}

/** None yet. Each that is added may be dropped by the room to make place for something more important. */
export function keptPictures({ disk, room }: { disk: SpoolDisk; room: SpoolRoom }): KeptPictures {
  const kept = new Map<KeptPicture, { bytes: number; forget(): void }>();
  return {
    add(path, { nodeId, bytes }) {
      const remove = async (): Promise<void> => {
        if (!kept.delete(picture)) return;
        room.give(bytes);
        await disk.remove(path).catch(() => {});
      };
      const { forget } = room.addPicture({ bytes, remove });
      const picture: KeptPicture = {
        nodeId,
        read: async () => pictureIn(await readFile(path)),
        async drop() {
          forget();
          await remove();
        },
      };
      kept.set(picture, { bytes, forget });
      return picture;
    },
    all: () => [...kept.keys()],
    forgetAll() {
      for (const { bytes, forget } of kept.values()) {
        forget();
        room.give(bytes);
      }
      kept.clear();
    },
  };
}
