/**
 * What a run did on this machine beyond its steps, for whoever keeps the books: the bridge is told of steps, the machine's
 * owner of these. No text in here holds a secret.
 */
export type RunDeed =
  /** The first request of the run to this host: `example.com:443`. */
  | { type: 'host_reached'; host: string }
  /** The first request to a host that this machine's rules do not let it reach. */
  | { type: 'host_blocked'; host: string; why: string }
  /** A local secret was typed, by its name, into a page of this origin. */
  | { type: 'secret_typed'; name: string; nodeId: string; origin: string }
  /** A file in the folder of files was given to a page or read, by its path in there. */
  | { type: 'file_read'; path: string; nodeId: string }
  /** A file in the folder of files is written. */
  | { type: 'file_written'; path: string; nodeId: string };
