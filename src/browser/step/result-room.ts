import type { StepResult } from '../../protocol/run-result.ts';
import { cut } from './step-error.ts';

/** Bytes that the whole results of one run may have: twice of what a bridge takes, which is fitted to that when it is delivered. */
const mostBytes = 8 * 1024 * 1024;

/**
 * Room for the results of one run, all of which are in memory until it ends: a loop over a step that has much to tell would
 * fill any. `fit` gives a result whole, or where there is no more room for that, how the step ended and little more.
 */
export function createResultRoom(most = mostBytes): { fit(result: StepResult): StepResult } {
  let usedBytes = 0;
  return {
    fit(result) {
      const bytes = Buffer.byteLength(JSON.stringify(result));
      if (usedBytes + bytes <= most) {
        usedBytes += bytes;
        return result;
      }
      const {
        logs,
        error,
        screenshotProblem,
        extracted: _,
        healed: _healed,
        observed: _seen,
        ...rest
      } = result;
      return {
        ...rest,
        ...(logs === undefined ? {} : { logs: cut(logs, shortLength) }),
        ...(error === undefined ? {} : { error: cut(error, shortLength) }),
        ...(screenshotProblem === undefined
          ? {}
          : { screenshotProblem: cut(screenshotProblem, shortLength) }),
      };
    },
  };
}

const shortLength = 200;
