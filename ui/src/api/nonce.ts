/** Lets script-made style sheets pass the Content-Security-Policy: `EditorView.cspNonce.of(styleNonce())`. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=style-nonce]")?.content ?? ""
}
