import type { Clock } from '../../lib/clock.ts';
import {
  CancelledError,
  CredentialsRejectedError,
  EnvironmentError,
  errorText,
  RefusedError,
  UsageError,
} from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import { checkWord, deriveKey, keyidOf, newExchangeKeys, unwrapKey } from '../../protocol/keys.ts';
import type { Host } from '../../protocol/messages.ts';
import type { ResponseOf } from '../../protocol/routes.ts';
import { createBridgeClient } from '../client/bridge-client.ts';
import { NoAnswerError } from '../client/bridge-errors.ts';
import { oneKey } from '../client/key-ring.ts';
import { type RetryDeps, withRetry } from '../client/retry.ts';
import type { Transport } from '../client/transport.ts';
import { normaliseApiBaseUrl } from '../config/bridge-settings.ts';
import type { Credentials } from './credentials.ts';

/** What a person asked for. */
export interface PairingRequest {
  /** 6 digits, leading zeros kept. */
  code: string;
  apiBaseUrl: string;
  host: Host;
  name: string | null;
  labels: readonly string[];
  /** Present for managed pairing: knowledge of it is proven, it is never sent. */
  managedPairSecret: Secret | null;
}

/** How pairing goes, for whoever tells the story. */
export interface PairingStory {
  /** The code was good: an operator is now asked, who compares the check word. */
  redeemed(step: { checkWord: string; workspace: string; expiresAt: string }): void;
  /** Not decided yet; told once. */
  waiting(): void;
  /** The bridge calls itself by another address than the one that was typed; its own is kept. */
  otherAddress(apiBaseUrl: string): void;
}

export interface PairingDeps extends RetryDeps {
  transport: Transport;
  clock: Clock;
  log: Log;
  version: string;
  signal: AbortSignal;
}

/**
 * Pairs this machine: redeem the code, wait for the operator, fetch the key. Nothing is written here.
 * Throws CredentialsRejectedError for a code that is not taken, a denial, or a wait that ended; EnvironmentError for an answer
 * that must not be believed; BridgeUnavailableError when there is none.
 */
export async function pairRunner(
  request: PairingRequest,
  story: PairingStory,
  deps: PairingDeps,
): Promise<Credentials> {
  const { managedPairSecret } = request;
  const managedKey =
    managedPairSecret === null
      ? null
      : {
          keyid: keyidOf({ kind: 'managed' }),
          secret: deriveKey(managedPairSecret, { kind: 'managed' }),
        };
  const client = createBridgeClient({
    ...deps,
    apiBaseUrl: request.apiBaseUrl,
    keys: oneKey('managed', managedKey),
  });
  const exchange = newExchangeKeys();
  const body = {
    code: request.code,
    publicKey: exchange.publicKey,
    host: request.host,
    ...(request.name === null ? {} : { name: request.name }),
    ...(request.labels.length === 0 ? {} : { labels: [...request.labels] }),
  };
  // Sent once: a code works once, so after a lost answer only a new code helps.
  const redeemed = await client
    .call(managedKey === null ? 'redeemCode' : 'redeemManagedCode', { body, signal: deps.signal })
    .catch((error: unknown) => {
      throw explained(error, request.apiBaseUrl);
    });
  const ownCheckWord = checkWord(redeemed.runnerId, exchange.publicKey);
  if (redeemed.checkWord !== ownCheckWord) {
    throw new EnvironmentError('the bridge received another public key than this machine sent', {
      hint: 'Something in between alters the pairing. Use another network, and make a new code.',
    });
  }
  story.redeemed({ checkWord: ownCheckWord, workspace: redeemed.workspace, expiresAt: redeemed.expiresAt });

  const claimed = await waitForDecision(redeemed);
  const apiBaseUrl = ownAddress(claimed.apiBaseUrl);
  if (apiBaseUrl !== request.apiBaseUrl) story.otherAddress(apiBaseUrl);
  return {
    runnerId: redeemed.runnerId,
    apiBaseUrl,
    name: claimed.name,
    workspace: claimed.workspace,
    labels: claimed.labels,
    mode: claimed.mode,
    keys: [
      {
        keyid: claimed.keyid,
        generation: claimed.generation,
        secret: unwrapKey(claimed.wrappedKey, exchange.privateKey, claimed.keyid),
        notBefore: claimed.notBefore,
        notAfter: claimed.notAfter,
      },
    ],
    pairedAt: new Date(deps.clock.nowMs()).toISOString(),
  };

  async function waitForDecision({
    runnerId,
    claimToken,
    pollAfterMs,
  }: ResponseOf<'redeemCode'>): Promise<Extract<ResponseOf<'claimCredentials'>, { state: 'approved' }>> {
    // Not by the time that the bridge names: this machine's clock may be hours off.
    const endsMs = deps.clock.monotonicMs() + longestWaitMs;
    let waitMs = 0;
    let told = '';
    for (let round = 0; ; round += 1) {
      await deps.clock.sleep(waitMs, deps.signal);
      const answer = await withRetry(
        () => client.call('claimCredentials', { body: { runnerId, claimToken }, signal: deps.signal }),
        {
          signal: deps.signal,
          retries: claimRetries,
          onRetry({ message }) {
            if (message !== told) deps.log.warn(`${message}; asking again`);
            told = message;
          },
        },
        deps,
      ).catch((error: unknown) => {
        throw explained(error, request.apiBaseUrl);
      });
      told = '';
      if (answer.state === 'approved') return answer;
      if (deps.clock.monotonicMs() > endsMs) {
        throw explained(
          new RefusedError('pairing_expired', 'the bridge never ended this pairing'),
          request.apiBaseUrl,
        );
      }
      if (round === 0) story.waiting();
      waitMs = Math.min(answer.pollAfterMs ?? pollAfterMs, longestPauseMs);
    }
  }
}

/** What the bridge calls itself. Throws EnvironmentError when no request can be signed for that. */
function ownAddress(written: string): string {
  try {
    return normaliseApiBaseUrl(written);
  } catch (error) {
    throw new EnvironmentError(
      `the bridge calls itself by an address that cannot be used: ${errorText(error)}`,
      {
        hint: 'Its operators must correct PUBLIC_URL; then ask for a new code.',
        cause: error,
      },
    );
  }
}

/** Tries of one claim: about as many minutes as a bridge waits for its operator, because the code is used up meanwhile. */
const claimRetries = 60;
/** The bridge decides when a pairing is over; the runner gives up by itself only well after that. */
const longestWaitMs = 60 * 60_000;
/** Longest pause between two claims, whatever the bridge asks for. */
const longestPauseMs = 30_000;

/** A refusal of the pairing in the words of whoever typed the code. */
function explained(error: unknown, apiBaseUrl: string): unknown {
  if (error instanceof CancelledError) return error;
  const code =
    error instanceof RefusedError ? error.code : error instanceof NoAnswerError ? (error.problem ?? '') : '';
  const [message, hint] = refusals[code] ?? [];
  if (message === undefined) return error;
  // The code or the pairing is over for good; what helps is a new one, as with credentials that are over.
  const Refusal = isAboutManaged(code) ? UsageError : CredentialsRejectedError;
  return new Refusal(message, {
    cause: error,
    hint: hint ?? `Ask for a new code, then: qualinet pair CODE --api ${apiBaseUrl}`,
  });
}

// A bridge that knows no such secret cannot sign its refusal; nothing is given up for it but this one command.
function isAboutManaged(code: string): boolean {
  return code === 'not_allowed' || code === 'signature_invalid';
}

/** By the code of the refusal: what happened, and what helps; null where that is a new code. */
const refusals: Readonly<Record<string, readonly [string, string | null]>> = {
  pairing_code_refused: ['this code is wrong, was used already, or has expired', null],
  pairing_denied: ['the operator denied this machine', null],
  pairing_expired: ['nobody approved this machine in time', null],
  not_found: ['the bridge no longer knows of this pairing', null],
  signature_invalid: [
    'the bridge does not know this managed pairing secret',
    'QUALINET_MANAGED_PAIR_SECRET must be the same here and on the bridge.',
  ],
  not_allowed: [
    'the bridge does not allow managed pairing',
    'It needs QUALINET_ALLOW_MANAGED_PAIR=true and the same QUALINET_MANAGED_PAIR_SECRET on the bridge.',
  ],
};
