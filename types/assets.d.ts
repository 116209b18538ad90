// What an import gives of a file that is no code: its text, or its bytes. For other endings, declare a module like these in a
// file of your own, and import with `with { type: 'text' }` or `with { type: 'bytes' }`.

declare module '*.txt' {
  const text: string;
  export default text;
}

declare module '*.sql' {
  const text: string;
  export default text;
}

declare module '*.html' {
  const text: string;
  export default text;
}

declare module '*.htm' {
  const text: string;
  export default text;
}

declare module '*.css' {
  const text: string;
  export default text;
}

declare module '*.md' {
  const text: string;
  export default text;
}

declare module '*.csv' {
  const text: string;
  export default text;
}

declare module '*.graphql' {
  const text: string;
  export default text;
}

declare module '*.gql' {
  const text: string;
  export default text;
}

declare module '*.xml' {
  const text: string;
  export default text;
}

declare module '*.svg' {
  const text: string;
  export default text;
}

declare module '*.yaml' {
  const text: string;
  export default text;
}

declare module '*.yml' {
  const text: string;
  export default text;
}

declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.bin' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.png' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.jpg' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.jpeg' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.gif' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.webp' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.ico' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
