/** Runs one action alone and shows what came out. */
import { useState } from "react"
import { api, parsed } from "~/api/client"
import type { ActionExecution } from "~/api/types"
import { Button, CommandLines, curlLine, Dialog, ErrorNote, JsonViewer, quoted, State } from "~/ui"
import { inputsOfText } from "./inputs"
import type { Definition } from "./kinds"
import { StartForm } from "./StartForm"
import { fieldsOf, inputOf } from "./fields"

export function RunAction({ action, onClose }: { action: Pick<Definition, "name" | "input">; onClose: () => void }) {
  const inputs = inputsOfText(action.input)
  const [input, setInput] = useState<Record<string, unknown> | null>(() => inputOf(fieldsOf(inputs)))
  const [result, setResult] = useState<ActionExecution | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [isBusy, setBusy] = useState(false)
  const body = { name: action.name, input: input ?? {}, params: { run_sync: true } }
  const options = Object.entries(input ?? {}).map(
    ([name, value]) => `-i ${quoted(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)}`,
  )
  const run = () => {
    if (input === null || isBusy) return
    setBusy(true)
    setError(null)
    api
      .post<ActionExecution>("/v2/action_executions", body)
      .then(setResult, setError)
      .finally(() => setBusy(false))
  }
  return (
    <Dialog
      title={`Run ${action.name}`}
      wide
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            kind="primary"
            icon="executions"
            action="action.run"
            isBusy={isBusy}
            disabled={input === null}
            onClick={run}
          >
            Run
          </Button>
        </>
      }
    >
      <div className="column">
        <StartForm inputs={inputs} onChange={setInput} />
        {error ? <ErrorNote error={error} /> : null}
        {result ? (
          <section className="column" aria-label="Result">
            <State state={result.state} />
            <JsonViewer value={parsed(result.output ?? null)} depth={3} label="output" />
          </section>
        ) : null}
        <CommandLines
          cli={["ostro action run", action.name, ...options].join(" ")}
          curl={curlLine("POST", "/v2/action_executions", body)}
        />
      </div>
    </Dialog>
  )
}
