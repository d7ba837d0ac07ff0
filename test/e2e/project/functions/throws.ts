export default () => {
  throw new Error('as announced')
}
