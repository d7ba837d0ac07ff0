/** The version this server reports; the same as in package.json and server.json, which a test compares. */
export const version = '0.1.0'
