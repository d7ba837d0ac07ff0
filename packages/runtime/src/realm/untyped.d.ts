declare module '@ungap/structured-clone' {
  export default function structuredClone(value: unknown): unknown
}
