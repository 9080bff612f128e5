/** Two texts beside each other, or in one with what was taken out and put in. */
import { yaml } from "@codemirror/lang-yaml"
import { MergeView, unifiedMergeView } from "@codemirror/merge"
import { EditorState, type Extension } from "@codemirror/state"
import { EditorView, lineNumbers } from "@codemirror/view"
import { useEffect, useRef } from "react"
import { expressions } from "./expressions"
import { allowedStyles, look } from "./look"
import "./editor.css"

interface Props {
  before: string
  after: string
  isUnified: boolean
  labels: readonly [before: string, after: string]
}

export default function DiffView({ before, after, isUnified, labels: [labelBefore, labelAfter] }: Props) {
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const parent = frame.current
    if (!parent) return
    const of = (label: string): Extension => [
      allowedStyles(),
      look,
      lineNumbers(),
      yaml(),
      expressions,
      EditorView.lineWrapping,
      EditorState.readOnly.of(true),
      EditorView.editable.of(false),
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", role: "textbox", "aria-readonly": "true" }),
    ]
    const collapse = { margin: 4, minSize: 8 }
    const view = isUnified
      ? new EditorView({
          parent,
          doc: after,
          extensions: [
            of(`${labelBefore} and ${labelAfter}`),
            unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: collapse }),
          ],
        })
      : new MergeView({
          parent,
          a: { doc: before, extensions: of(labelBefore) },
          b: { doc: after, extensions: of(labelAfter) },
          collapseUnchanged: collapse,
        })
    return () => view.destroy()
  }, [before, after, isUnified, labelBefore, labelAfter])
  return <div className="diff" ref={frame} data-diff={isUnified ? "unified" : "split"} />
}
