/** Gives an asynchronous action its result, as whoever it waits for would do. */
import { useState } from "react"
import { api } from "~/api/client"
import { curlLine, quoted, SelectField, TextArea } from "~/ui"
import { ConfirmDialog } from "./ConfirmDialog"
import { useChange } from "./useChange"

const ENDS = [
  ["SUCCESS", "Success"],
  ["ERROR", "Error"],
  ["CANCELLED", "Cancelled"],
] as const
type End = (typeof ENDS)[number][0]
const VERBS: Record<End, { cli: string; action: string }> = {
  SUCCESS: { cli: "complete", action: "action-execution.complete" },
  ERROR: { cli: "fail", action: "action-execution.fail" },
  CANCELLED: { cli: "cancel", action: "action-execution.cancel" },
}

export function CompleteDialog({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const [state, setState] = useState<End>("SUCCESS")
  const [text, setText] = useState("")
  const { run, isBusy, error } = useChange()
  const result = readResult(text)
  const body = {
    state,
    ...(text.trim() && state !== "CANCELLED" && result.error === null ? { output: result.value } : {}),
  }
  const output = "output" in body ? ` -o ${quoted(JSON.stringify(body.output))}` : ""
  return (
    <ConfirmDialog
      title={`Complete ${name}`}
      verb="Complete"
      action={VERBS[state].action}
      commands={{
        cli: `ostro action-execution ${VERBS[state].cli} ${id}${output}`,
        curl: curlLine("PUT", `/v2/action_executions/${id}`, body),
      }}
      isBusy={isBusy}
      isReady={result.error === null}
      error={error}
      onClose={onClose}
      onConfirm={() => {
        void run(() => api.put(`/v2/action_executions/${id}`, body), `${name} is completed.`).then((done) => {
          if (done !== undefined) onClose()
        })
      }}
    >
      <SelectField
        label="It ends with"
        options={ENDS}
        value={state}
        onChange={(event) => setState(event.target.value as End)}
      />
      {state === "CANCELLED" ? null : (
        <TextArea
          label={state === "SUCCESS" ? "Result (JSON)" : "Error (JSON)"}
          hint='What task().result will be, such as {"approved": true}.'
          error={result.error}
          placeholder="{}"
          rows={5}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
    </ConfirmDialog>
  )
}

function readResult(text: string): { value: unknown; error: string | null } {
  if (!text.trim()) return { value: undefined, error: null }
  try {
    return { value: JSON.parse(text) as unknown, error: null }
  } catch (problem) {
    return { value: undefined, error: `This is not JSON: ${(problem as Error).message}` }
  }
}
