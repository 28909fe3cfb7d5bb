/** Something that goes wrong with one request between a runner and its bridge. */
export type Fault =
  /** The connection is reset (RST); the bridge hears nothing. */
  | { kind: 'reset' }
  /** The request is read and the connection closed; the bridge hears nothing. */
  | { kind: 'requestLost' }
  /** The request is read and not answered; whoever waits longer than this is cut. */
  | { kind: 'blackHole'; forMs: number }
  /** The bridge hears and answers, the runner hears nothing. */
  | { kind: 'answerLost' }
  /** Half of the answer's body, then the end. */
  | { kind: 'halfAnswer' }
  /** A few bytes a second, and cut after this. */
  | { kind: 'slowAnswer'; forMs: number }
  /** A proxy's own page. */
  | { kind: 'html502' }
  /** A login page, which looks as if all went well. */
  | { kind: 'html200' }
  /** The same request reaches the bridge twice: at once, or once more after this time. */
  | { kind: 'duplicate'; laterMs: number }
  /** Held back until the next request has passed. */
  | { kind: 'reorder' }
  | { kind: 'delay'; ms: number }
  /** Something else happens when the request has arrived (the bridge hears nothing), or when the bridge has answered; the runner hears nothing. */
  | { kind: 'call'; when: 'arrived' | 'answered'; act(): void | Promise<void> };
