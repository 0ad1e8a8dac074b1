/** `${NAME}` in the values of a config. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expanded {
  readonly value: string | boolean;
  readonly problems: readonly string[];
}

/** `$${` stands for `${`. A value that is nothing but one variable holding true or false becomes that. */
export function expandVariables(text: string, env: Environment): Expanded {
  const problems: string[] = [];
  const value = text.replace(
    /\$(\$\{)|\$\{([^}]*)\}?/g,
    (whole, escaped?: string, name?: string) => {
      if (escaped !== undefined) return escaped;
      if (!whole.endsWith('}') || name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        problems.push(
          `"${whole}" is not an environment variable; write \${NAME}, or $\${ for a plain \${`,
        );
        return whole;
      }
      const found = env[name];
      if (found === undefined) problems.push(`environment variable ${name} is not set`);
      return found ?? whole;
    },
  );
  const isFlag = value !== text && (value === 'true' || value === 'false');
  return { value: isFlag ? value === 'true' : value, problems };
}
