/** Thrown by a rule for a command that no step of ours says; the message is why, as half a sentence. */
export class NotKept extends Error {}
