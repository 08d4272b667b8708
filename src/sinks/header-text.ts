/** A text as the value of a header or of metadata: other than printable ASCII, and `%` itself, is percent-encoded. */
export function headerText(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\x20-\x7e]|%/g, (char) => {
      return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
}
