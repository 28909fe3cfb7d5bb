/** What a file of another tool holds, as our flows. */
export interface Recording {
  readonly format: RecordingFormat;
  readonly flows: readonly ImportedFlow[];
}

/** The tools whose files are read. */
export type RecordingFormat = 'chrome-recorder' | 'selenium-ide' | 'playwright';

/** One flow, and what became of its steps. */
export interface ImportedFlow {
  readonly name: string;
  readonly flow: FlowFileContent;
  /** What a reader should know although nothing is lost. */
  readonly notes: readonly string[];
  /** What could not be kept. In the flow stands a `log` step in its place that says so. */
  readonly unkept: readonly Unkept[];
}

/** A step of the recording that no step of ours says. */
export interface Unkept {
  /** Where it stands in the recording: `step 3`, `line 12`, `test "Login", command 7`. */
  readonly where: string;
  /** What stands there: `customStep "foo"`. */
  readonly what: string;
  readonly why: string;
}

/** A flow file, as it is written to the disk. */
export interface FlowFileContent {
  readonly name: string;
  readonly nodes: readonly FlowFileNode[];
  readonly edges: readonly FlowFileEdge[];
  /** Values that a run has where it is given no others. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A node as React Flow draws it. */
export interface FlowFileNode {
  readonly id: string;
  readonly type: string;
  readonly position: { readonly x: number; readonly y: number };
  readonly data: Readonly<Record<string, unknown>>;
}

/** An edge; `sourceHandle` names the branch of a node that has several. */
export interface FlowFileEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly sourceHandle?: string;
}
