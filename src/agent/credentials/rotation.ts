import type { Clock } from '../../lib/clock.ts';
import { CredentialsRejectedError, errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { newExchangeKeys, unwrapKey } from '../../protocol/keys.ts';
import { isKeyRefusal } from '../client/bridge-answer.ts';
import type { BridgeClient } from '../client/bridge-client.ts';
import { newestKey, type RunnerKey } from './credentials.ts';
import type { Identity } from './identity.ts';

/** Part of a key's life after which it is replaced. Source: system.md §3. */
const rotateAfter = 2 / 3;
/** How often a due rotation is looked for. */
const checkMs = 60_000;
/** A rotation that fails waits longer each time, up to this many doublings. */
const mostDoublings = 4;

/**
 * True when the key should be replaced: it is old by the clock of the bridge, the bridge ordered it, or a replacement was begun
 * and not finished.
 */
export function isRotationDue(
  identity: Pick<Identity, 'credentials' | 'isRenewalOrdered'>,
  bridgeTimeMs: number,
): boolean {
  return isWanted(identity) || isOld(identity, bridgeTimeMs);
}

function isWanted({
  credentials,
  isRenewalOrdered,
}: Pick<Identity, 'credentials' | 'isRenewalOrdered'>): boolean {
  return credentials.keys.length > 1 || isRenewalOrdered;
}

function isOld({ credentials }: Pick<Identity, 'credentials'>, bridgeTimeMs: number): boolean {
  const { notBefore, notAfter } = newestKey(credentials);
  const beginMs = Date.parse(notBefore);
  return bridgeTimeMs >= beginMs + (Date.parse(notAfter) - beginMs) * rotateAfter;
}

/**
 * Replaces the runner's key: fetch the next generation, keep both, and drop the old one once an answer was signed with the
 * new one. Every part may be repeated: a lost answer, or a process that ends in between, costs nothing. A new key that the
 * bridge does not take is asked for again with the old one, and never costs the old one.
 */
export async function rotateKey(
  identity: Identity,
  client: BridgeClient,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<void> {
  const [old, begun] = [...identity.credentials.keys].sort((a, b) => a.generation - b.generation);
  if (old === undefined) throw new Error('credentials without a key');
  const next = begun ?? (await fetchNext(old));
  if (!identity.isProved(next)) await tryOut(next, old);
  const worked = newestKey(identity.credentials);
  await identity.replace({ ...identity.credentials, keys: [worked] });
  log.info('the credentials were renewed', { generation: worked.generation, notAfter: worked.notAfter });

  async function fetchNext(signer: RunnerKey): Promise<RunnerKey> {
    const exchange = newExchangeKeys();
    const { wrappedKey, ...issued } = await client.call('rotateCredentials', {
      body: { publicKey: exchange.publicKey },
      key: signer,
      signal,
    });
    const { keyid, generation, notBefore, notAfter } = issued;
    const secret = unwrapKey(wrappedKey, exchange.privateKey, keyid);
    const fetched: RunnerKey = { keyid, generation, notBefore, notAfter, secret };
    await identity.replace({ ...identity.credentials, keys: [signer, fetched] });
    return fetched;
  }

  async function tryOut(key: RunnerKey, previous: RunnerKey): Promise<void> {
    try {
      await client.call('runnerSelf', { key, signal });
    } catch (error) {
      // It was made with another secret than the bridge has now, or somebody in between says so: the old key can tell.
      if (!isKeyRefusal(error)) throw error;
      const again = await fetchNext(previous).catch((refusal: unknown) => {
        // Only when the bridge has ended both in signed answers nothing is left.
        throw error instanceof CredentialsRejectedError ? refusal : error;
      });
      await client.call('runnerSelf', { key: again, signal });
    }
  }
}

/** Renews the key whenever it is due, until `signal` ends it. `onRejected` hears that the bridge has ended the credentials. */
export async function keepKeysFresh(
  identity: Identity,
  client: BridgeClient,
  {
    clock,
    random,
    log,
    signal,
    onRejected,
  }: {
    clock: Clock;
    random: () => number;
    log: Log;
    signal: AbortSignal;
    onRejected: (error: CredentialsRejectedError) => void;
  },
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    if (isRotationDue(identity, client.bridgeTimeMs())) {
      try {
        // A clock that is wrong by years must not make a new key each minute: a signed answer corrects it first.
        if (!isWanted(identity)) await client.call('runnerSelf', { signal });
        if (isRotationDue(identity, client.bridgeTimeMs()))
          await rotateKey(identity, client, { log, signal });
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        if (error instanceof CredentialsRejectedError) onRejected(error);
        else log.warn(`the credentials were not renewed: ${errorText(error)}; they are tried again later`);
      }
    }
    // The random part keeps a fleet from renewing together: one that was paired together, or has had the same order.
    const waitMs = checkMs * 2 ** Math.min(failures, mostDoublings);
    await clock.sleep(waitMs * (0.5 + random()), signal).catch(() => {});
  }
}
