/** How a runner names a lease it holds; a statement about it matches all three or nothing. */
export interface HeldLease {
  leaseId: string;
  fence: number;
  runnerId: string;
}
