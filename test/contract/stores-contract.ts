import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { blobsContract } from './blobs-contract.ts';
import { endingsContract } from './endings-contract.ts';
import { eventsContract } from './events-contract.ts';
import { fleetContract } from './fleet-contract.ts';
import { leasesContract } from './leases-contract.ts';
import { type OpenedStores, type OpenStores, type Store, storeOn } from './open-store.ts';
import { runnersContract } from './runners-contract.ts';
import { whyContract } from './why-contract.ts';

/**
 * What the bridge's statements must do on every database they run on. Tests share one database and have a workspace of
 * their own each.
 */
export function storesContract(name: string, open: OpenStores): void {
  describe(name, () => {
    let opened: OpenedStores;
    let store: Store;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    beforeEach(() => {
      store = storeOn(opened);
    });
    const current = (): Store => store;
    leasesContract(current);
    endingsContract(current);
    eventsContract(current);
    runnersContract(current);
    blobsContract(() => opened);
    whyContract(current);
    fleetContract(current);
  });
}
