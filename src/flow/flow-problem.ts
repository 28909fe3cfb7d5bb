/** One thing that keeps a flow from running. */
export interface FlowProblem {
  /** The node it is about, absent when it is about the whole flow or an edge. */
  nodeId?: string;
  /** What is wrong, naming node or field. */
  message: string;
}
