/** What esbuild adds to a module of this form when it makes CommonJS of it, and what is in it in any case (bytes). */
const FRAME = 1_230;

/**
 * The source of a module that is about so many bytes of code once it is compiled: small functions that call each other, each
 * with constants of its own, as the modules are that Erlang is given. Versions differ in one number.
 */
export function subjectSource(bytes: number, version: number): string {
  const next = numbers(42);
  const functions: string[] = [];
  let length = FRAME;
  for (let index = 0; length < bytes; index += 1) {
    const text = Array.from({ length: 4 }, () => next().toString(36).padStart(4, '0')).join('');
    const result = `[input * ${next()}, ${next()}, '${text}']`;
    const step = `function step${index}(input: number): unknown[] {
  return input > ${next()} ? ${result} : step${index + 1}(input + ${next()});
}
`;
    functions.push(step);
    // Types do not get into the code.
    length += step.length - ': number): unknown[]'.length + 1;
  }
  return `export const version = ${version};
export function run(input: number): unknown[] {
  return step0(input);
}
${functions.join('')}function step${functions.length}(input: number): unknown[] {
  return [input];
}
`;
}

/** Numbers of five digits, always the same ones of a seed (Numerical Recipes' generator). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 30_000 + (state % 30_000);
  };
}
