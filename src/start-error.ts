/** A reason not to start that the operator can act on: its message is one sentence that says what to do, printed without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
