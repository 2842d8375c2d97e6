// What a bundler makes of the WebAssembly: base64 or a module, as build.mjs says for each entry.
declare module '*.wasm' {
  const content: string | WebAssembly.Module;
  export default content;
}
