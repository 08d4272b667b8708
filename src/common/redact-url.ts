const REDACTED = '[redacted]';

/**
 * Query and path parameters that carry passwords on cameras (`?pwd=x`, `/user=admin_password=x_channel=1`) and rights in
 * signed web addresses (`X-Amz-Signature=x`).
 */
const SECRET_PARAMETER =
  /((?:pass(?:word|wd)?|pwd|token|secret|auth|key|credential|sig(?:nature)?)=)[^&;#\s/]+/gi;

/**
 * Hides what a URL may hold of credentials, also when the URL is not well formed: everything between `//` and the last
 * `@` (a password pasted in plain may hold `/`, `#` and `@`), and the values of parameters named like passwords. It
 * hides too much rather than too little. A text without `//` comes back as it is.
 */
export function redactUrl(text: string): string {
  if (!text.includes('//')) return text;
  return text
    .replace(/\/\/[\s\S]*@/, `//${REDACTED}@`)
    .replace(SECRET_PARAMETER, (_all, name: string) => `${name}${REDACTED}`);
}
