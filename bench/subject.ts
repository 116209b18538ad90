/** What esbuild adds to a module of this form when it makes CommonJS of it, and the constant part (bytes). */
const FRAME_BYTES = 1_230;

/**
 * The source of a module that has about this many bytes of code once it is compiled: small functions that call each
 * other, each with its own constants, like the modules for Erlang (erlang/subject.erl). Versions differ in one number.
 */
export function subjectSource(bytes: number, version: number): string {
  // Numbers of five digits, always the same (the generator of Numerical Recipes).
  let state = 42;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 30_000 + (state % 30_000);
  };
  const head = 'input: number): unknown[]';
  const functions = [`export const version = ${version};`, `export function run(${head} { return step0(input); }`];
  let index = 0;
  for (let length = FRAME_BYTES; length < bytes; index += 1) {
    const text = Array.from({ length: 4 }, () => next().toString(36).padStart(4, '0')).join('');
    const body = `input > ${next()} ? [input * ${next()}, ${next()}, '${text}'] : step${index + 1}(input + ${next()})`;
    functions.push(`function step${index}(${head} {\n  return ${body};\n}`);
    // The code has no types.
    length += `function step${index}(input) {\n  return ${body};\n}\n`.length;
  }
  return `${functions.join('\n')}\nfunction step${index}(${head} { return [input]; }\n`;
}
