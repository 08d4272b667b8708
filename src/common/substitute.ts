import { childPointer, type ValueProblem } from './check.ts';

/** `$${` (a literal `${`), `${NAME}`, or a `${` that is neither. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g;

/** A value with its environment variables filled in. */
export interface Substituted {
  readonly value: unknown;
  readonly problems: readonly ValueProblem[];
  /** Pointers of the strings that hold something from the environment: never quoted in messages. */
  readonly hidden: ReadonlySet<string>;
}

/**
 * Replaces `${NAME}` in every string value (never in keys) by the variable's text. The text is taken as it is: it is
 * not searched again and never becomes YAML. `$${` stands for a literal `${`.
 */
export function substituteEnv(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
): Substituted {
  const problems: ValueProblem[] = [];
  const hidden = new Set<string>();

  function replace(text: string, pointer: string): string {
    return text.replace(REFERENCE, (match, name: string | undefined) => {
      if (match === '$${') return '${';
      hidden.add(pointer);
      if (name === undefined) {
        problems.push({
          pointer,
          message: `has a "\${" that is not \${NAME}; write $\${ for the text "\${"`,
        });
        return match;
      }
      const found = Object.hasOwn(env, name) ? env[name] : undefined;
      if (found === undefined) {
        problems.push({ pointer, message: `the environment variable ${name} is not set` });
      }
      return found ?? match;
    });
  }

  function visit(item: unknown, pointer: string): unknown {
    if (typeof item === 'string') return replace(item, pointer);
    if (Array.isArray(item)) {
      return item.map((entry, index) => visit(entry, childPointer(pointer, index)));
    }
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(
      Object.entries(item).map(([key, entry]) => [key, visit(entry, childPointer(pointer, key))]),
    );
  }

  return { value: visit(value, ''), problems, hidden };
}
