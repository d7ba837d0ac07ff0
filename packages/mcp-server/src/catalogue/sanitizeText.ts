/** How a stranger's text is announced, so that a reader knows whose words follow. */
const providerFrame = "Provider's description (unverified):"

/**
 * A stranger's text made safe to show to a model: one line of plain words. Control, zero-width, bidirectional and other
 * invisible characters go, and so do markup, links and code marks; what is left is cut to `maximum` characters.
 */
export function sanitizeText(text: unknown, maximum = 300): string {
  if (typeof text !== 'string') return ''
  const plain = text
    .slice(0, maximum * 20)
    .normalize('NFKC')
    .replace(/[\t\n\r\u2028\u2029]+/g, ' ')
    .replace(invisible, '')
    .replace(/<!--.*?(-->|$)/gs, ' ')
    .replace(/<\/?[a-z!?][^>]*(>|$)/gi, ' ')
    .replace(/!?\[([^\]]*)\]\s*(\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, '(link removed)')
    .replace(/\b(data|javascript|mailto|file):\S+/gi, '(link removed)')
    .replace(/[`<>{}|\\]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const characters = [...plain]
  return characters.length <= maximum ? plain : `${characters.slice(0, maximum - 1).join('')}…`
}

/** `sanitizeText` in its frame; a fixed sentence when there is nothing to say. */
export function framedDescription(text: unknown): string {
  const plain = sanitizeText(text)
  return plain === '' ? 'The provider gives no description.' : `${providerFrame} ${plain}`
}

/** True when sanitising changes nothing: such a text can be passed on letter by letter, as an enum value has to be. */
export function isPlain(text: string, maximum: number): boolean {
  return sanitizeText(text, maximum) === text
}

// Categories Cc, Cf, Cs, Co, Cn; combining grapheme joiner, Hangul fillers and variation selectors are as invisible, and smuggle bytes.
const invisible = /\p{C}|\u034f|[\u115f\u1160]|[\u17b4\u17b5]|\u3164|\uffa0|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu
