/** Marks YAQL and Jinja expressions inside of YAML: they are what people look for. */
import {
  Decoration,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from "@codemirror/view"
import type { Extension } from "@codemirror/state"

const matcher = new MatchDecorator({
  regexp: /<%.*?%>|\{\{.*?\}\}/g,
  decoration: Decoration.mark({ class: "cm-expression" }),
})

export const expressions: Extension = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = matcher.createDeco(view)
    }
    update(update: ViewUpdate) {
      this.decorations = matcher.updateDeco(update, this.decorations)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)
