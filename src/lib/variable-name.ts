/** What stands between the braces of `{{NAME}}`, as part of a larger pattern. */
export const variableNamePattern = '[A-Za-z_][A-Za-z0-9_.-]{0,99}';

/** A text that is the name of a variable, and nothing else. */
export const variableName = new RegExp(`^${variableNamePattern}$`);
