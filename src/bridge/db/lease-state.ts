/**
 * State of a lease row.
 * - `ready`: waits to be granted (from `availableAt` on).
 * - `offered`: granted in the answer to a poll; back to `ready` unless a heartbeat comes within `offerMs`.
 * - `leased`: the runner acknowledged; it is kept by heartbeats and ends by result, release, expiry, deadline or cancel.
 * - `done`: the runner's result is written.
 * - `failed`: the bridge ended the run: deadline passed, attempts used up, or not to be delivered again.
 * - `cancelled`: ended on an operator's request.
 * The last three are final. Entered by: grant-leases (offered), keep-lease (leased), end-attempt (ready), settle-run (final).
 */
export type LeaseState = 'ready' | 'offered' | 'leased' | 'done' | 'failed' | 'cancelled';
