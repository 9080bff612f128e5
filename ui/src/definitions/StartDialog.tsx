/** The dialog that starts a known workflow: its input by a form, and what else an execution may be given. */
import { useState } from "react"
import { useNavigate } from "react-router"
import { api } from "~/api/client"
import type { Execution } from "~/api/types"
import {
  Button,
  CommandLines,
  curlLine,
  Dialog,
  ErrorNote,
  quoted,
  readObject,
  SelectField,
  TextArea,
  TextField,
  toast,
} from "~/ui"
import { StartForm } from "./StartForm"
import { inputOf, fieldsOf, type Input } from "./fields"

interface Props {
  title: string
  workflow: { id: string; name: string }
  inputs: readonly Input[]
  values?: Readonly<Record<string, unknown>>
  env?: Readonly<Record<string, unknown>>
  /** Names of its tasks, if one of them must be named: reverse workflows. */
  targets?: readonly string[]
  target?: string
  action: "execution.start" | "execution.start-again" | "automation.run"
  onClose: () => void
}

export function StartDialog({
  title,
  workflow,
  inputs,
  values,
  env: firstEnv,
  targets,
  target: firstTarget,
  action,
  onClose,
}: Props) {
  const [input, setInput] = useState<Record<string, unknown> | null>(() => inputOf(fieldsOf(inputs, values)))
  const [description, setDescription] = useState("")
  const [envText, setEnv] = useState(firstEnv && Object.keys(firstEnv).length ? JSON.stringify(firstEnv, null, 2) : "")
  const [target, setTarget] = useState(firstTarget ?? targets?.at(-1) ?? "")
  const [error, setError] = useState<unknown>(null)
  const [isBusy, setBusy] = useState(false)
  const navigate = useNavigate()
  const env = readObject(envText)
  const isReady = input !== null && env.error === null
  const params = {
    ...(envText.trim() && env.value ? { env: env.value } : {}),
    ...(targets && target ? { task_name: target } : {}),
  }
  const isAutomation = action === "automation.run"
  const [path, body] = isAutomation
    ? [
        `/automation/v1/workflows/${workflow.id}/run`,
        { input: input ?? {}, ...(description ? { description } : {}), ...params },
      ]
    : [
        "/v2/executions",
        {
          workflow_id: workflow.id,
          input: input ?? {},
          ...(description ? { description } : {}),
          ...(Object.keys(params).length ? { params } : {}),
        },
      ]
  const options = [
    ...Object.entries(input ?? {}).map(
      ([name, value]) => `-i ${quoted(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)}`,
    ),
    ...("env" in params ? [`-e ${quoted(JSON.stringify(params.env))}`] : []),
  ]
  const cli = [
    isAutomation ? `ostro automation run ${workflow.id}` : `ostro execution start ${quoted(workflow.name)}`,
    ...options,
  ].join(" ")
  const start = async () => {
    if (!isReady || isBusy) return
    setBusy(true)
    setError(null)
    try {
      const made = await api.post<Execution>(path, body)
      toast(`${workflow.name} has begun.`)
      onClose()
      void navigate(`/executions/${made.id}`)
    } catch (problem) {
      setError(problem)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={title}
      wide
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            kind="primary"
            icon="executions"
            action={action}
            isBusy={isBusy}
            disabled={!isReady}
            onClick={() => void start()}
          >
            Start
          </Button>
        </>
      }
    >
      <form
        className="column"
        onSubmit={(event) => {
          event.preventDefault()
          void start()
        }}
      >
        <StartForm inputs={inputs} onChange={setInput} {...(values ? { values } : {})} />
        {targets ? (
          <SelectField
            label="Task to reach"
            options={targets}
            value={target}
            onChange={(event) => setTarget(event.target.value)}
          />
        ) : null}
        <details className="more-fields" open={Boolean(envText)}>
          <summary>Description and environment</summary>
          <div className="column">
            <TextField
              label="Description"
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
            <TextArea
              label="Environment (JSON)"
              hint="What env() answers in the workflow."
              error={env.error}
              placeholder="{}"
              rows={4}
              value={envText}
              onChange={(event) => setEnv(event.target.value)}
            />
          </div>
        </details>
        {error ? <ErrorNote error={error} /> : null}
        <CommandLines cli={cli} curl={curlLine("POST", path, body)} />
        <button type="submit" className="visually-hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </Dialog>
  )
}
