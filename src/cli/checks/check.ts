import type { Scene } from './scene.ts';

/**
 * What a check found. `warning`: runs are executed, but something is worse than it could be. `failed`: a runner would not work.
 * `skipped`: it cannot be known here and now, and the detail says why.
 */
export type Finding =
  | { status: 'ok'; detail: string }
  | { status: 'warning' | 'failed'; detail: string; fix: string }
  | { status: 'skipped'; detail: string; fix?: string };

export type CheckStatus = Finding['status'];

/** One thing that `qualinet doctor` looks at. */
export interface Check {
  /** One word, as `--only` takes it. */
  readonly name: string;
  readonly title: string;
  /** Checks before it without which it can find nothing: where one of them failed or was skipped, it is skipped. */
  readonly needs: readonly string[];
  /** What to do where the check itself can say nothing better: it took too long, or an error brings no advice. */
  readonly fix: string;
  /** Longest it may take, default {@link defaultLimitMs}. */
  readonly limitMs?: number;
  /** True for one that takes a minute: only with `--deep`. */
  readonly isDeep?: boolean;
  /** Looks. An ExpectedError that it throws is a failure with its hint as the fix; any other is a bug and is told as one. */
  run(scene: Scene, signal: AbortSignal): Promise<Finding>;
}

export const defaultLimitMs = 10_000;
/** How long a connection is waited for; within the limit, so that it can be told which one it was. */
export const connectMs = 8_000;

export const ok = (detail: string): Finding => ({ status: 'ok', detail });
export const warning = (detail: string, fix: string): Finding => ({ status: 'warning', detail, fix });
export const failed = (detail: string, fix: string): Finding => ({ status: 'failed', detail, fix });
export const skipped = (detail: string, fix?: string): Finding => ({
  status: 'skipped',
  detail,
  ...(fix === undefined ? {} : { fix }),
});
