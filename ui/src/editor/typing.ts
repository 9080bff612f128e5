/**
 * Typing over a selection, done by the editor itself. Left to the browser, Chromium keeps the look of what was selected
 * by inline styles, which the page's Content-Security-Policy refuses (with an error in the console).
 */
import type { Extension } from "@codemirror/state"
import { EditorView } from "@codemirror/view"

export const typing: Extension = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main, ranges } = view.state.selection
    if (event.inputType !== "insertText" || event.data === null || event.isComposing) return false
    if (main.empty || ranges.length > 1 || view.state.readOnly) return false
    const text = event.data
    event.preventDefault()
    const insert = () =>
      view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true })
    const isTaken = view.state
      .facet(EditorView.inputHandler)
      .some((handle) => handle(view, main.from, main.to, text, insert))
    if (!isTaken) view.dispatch(insert())
    return true
  },
})
