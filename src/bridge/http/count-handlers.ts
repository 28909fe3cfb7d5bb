import type { Metrics, PollOutcome } from '../metrics/metrics.ts';
import { ProblemError } from '../problem-error.ts';
import type { Handlers } from './handler.ts';

type Counted = 'pollLeases' | 'postEvents' | 'postResult' | 'requestUpload';

/** The same handlers, with what runners do counted on the way. */
export function countHandlers<Some extends Pick<Handlers, Counted>>(handlers: Some, metrics: Metrics): Some {
  const { pollLeases, postEvents, postResult, requestUpload } = handlers;
  return {
    ...handlers,
    async pollLeases(input) {
      metrics.pollBegan();
      let outcome: PollOutcome = 'failed';
      try {
        const answer = await pollLeases(input);
        outcome = input.gone.aborted ? 'gone' : answer.leases.length > 0 ? 'runs' : 'empty';
        return answer;
      } catch (error) {
        if (error instanceof ProblemError && error.code === 'upgrade_required') outcome = 'refused';
        throw error;
      } finally {
        metrics.pollEnded(outcome);
      }
    },
    async postEvents(input) {
      const answer = await postEvents(input);
      metrics.eventsReceived(input.body.events.length);
      return answer;
    },
    async postResult(input) {
      const answer = await postResult(input);
      metrics.eventsReceived(input.body.lastEvents?.length ?? 0);
      return answer;
    },
    async requestUpload(input) {
      const answer = await requestUpload(input);
      metrics.uploadPresigned();
      return answer;
    },
  } satisfies Pick<Handlers, Counted> & Some;
}
