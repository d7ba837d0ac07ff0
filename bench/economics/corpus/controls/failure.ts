/** A failure of its own. */
export function GET() {
  throw new RangeError('This function always fails.')
}
