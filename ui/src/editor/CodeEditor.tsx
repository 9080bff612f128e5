/** A text editor for YAML and JSON: highlighted, folded, searched, completed; problems are marked at their lines. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  type CompletionSource,
} from "@codemirror/autocomplete"
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { json } from "@codemirror/lang-json"
import { yaml } from "@codemirror/lang-yaml"
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language"
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint"
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search"
import { EditorState, type Extension, type Text } from "@codemirror/state"
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view"
import { useEffect, useRef } from "react"
import type { Problem } from "~/execution/types"
import { expressions } from "./expressions"
import { allowedStyles, look } from "./look"
import { typing } from "./typing"
import "./editor.css"

interface Props {
  label: string
  value: string
  onChange?: (text: string) => void
  language?: "yaml" | "json"
  problems?: readonly Problem[]
  complete?: CompletionSource
  /** Called with the line of the cursor, from 1. */
  onLine?: (line: number) => void
  /** A line to go to; a new object goes there again. */
  goTo?: { line: number } | null
  /** On Ctrl-S. */
  onSave?: () => void
}

export default function CodeEditor({
  label,
  value,
  onChange,
  language = "yaml",
  problems,
  complete,
  onLine,
  goTo,
  onSave,
}: Props) {
  const frame = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const latest = useRef({ onChange, onLine, onSave, complete })
  useEffect(() => {
    latest.current = { onChange, onLine, onSave, complete }
  })
  const isReadOnly = onChange === undefined

  useEffect(() => {
    if (!frame.current) return
    const made = new EditorView({
      parent: frame.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          base(label, language, isReadOnly),
          autocompletion({ override: [(context) => latest.current.complete?.(context) ?? null], icons: false }),
          keymap.of([
            {
              key: "Mod-s",
              run: () => {
                latest.current.onSave?.()
                return true
              },
            },
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString())
            if (update.selectionSet)
              latest.current.onLine?.(update.state.doc.lineAt(update.state.selection.main.head).number)
          }),
        ],
      }),
    })
    view.current = made
    return () => {
      view.current = null
      made.destroy()
    }
    // A change of the value from outside is put into the editor below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [label, language, isReadOnly])

  useEffect(() => {
    const made = view.current
    if (made && made.state.doc.toString() !== value) {
      made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: value } })
    }
  }, [value])

  useEffect(() => {
    const made = view.current
    if (made)
      made.dispatch(
        setDiagnostics(
          made.state,
          (problems ?? []).map((problem) => diagnostic(made.state.doc, problem)),
        ),
      )
  }, [problems])

  useEffect(() => {
    const made = view.current
    if (!made || !goTo || goTo.line < 1 || goTo.line > made.state.doc.lines) return
    const { from } = made.state.doc.line(goTo.line)
    made.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) })
  }, [goTo])

  // Keys typed here are not shortcuts of the page.
  return <div className="code-editor" ref={frame} onKeyDown={(event) => event.stopPropagation()} />
}

function base(label: string, language: "yaml" | "json", isReadOnly: boolean): Extension {
  return [
    allowedStyles(),
    look,
    typing,
    lineNumbers(),
    foldGutter(),
    lintGutter(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    indentOnInput(),
    indentUnit.of("  "),
    bracketMatching(),
    closeBrackets(),
    language === "yaml" ? [yaml(), expressions] : json(),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
    EditorState.readOnly.of(isReadOnly),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...foldKeymap,
      ...completionKeymap,
      ...lintKeymap,
      indentWithTab,
    ]),
  ]
}

/** Lines and columns from 1; a problem without an end marks the word, or else the line, that it stands at. */
function diagnostic(doc: Text, { line, column, end_column, severity, message, hint }: Problem): Diagnostic {
  const at = doc.line(Math.max(1, Math.min(doc.lines, line)))
  const from = Math.min(at.to, at.from + Math.max(0, column - 1))
  const word = /^[\w.-]+/.exec(doc.sliceString(from, at.to))?.[0].length ?? 0
  const to = end_column ? Math.min(at.to, at.from + end_column - 1) : from + word
  return { from, to: Math.max(from, to), severity, message: hint ? `${message}\n${hint}` : message }
}
