import { useState } from "react"
import { api } from "~/api/client"
import { useWorkflowNames } from "~/executions/Toolbar"
import { curlLine, FormDialog, keyValues, quoted, readObject, SelectField, TextArea, TextField, toast } from "~/ui"
import { CATCH_UP, OVERLAP } from "./CronDetails"

const PRESETS: readonly (readonly [pattern: string, label: string])[] = [
  ["*/15 * * * *", "every 15 minutes"],
  ["@hourly", "every hour"],
  ["0 6 * * *", "every day at 6"],
  ["0 6 * * MON-FRI", "working days at 6"],
  ["0 0 1 * *", "first of the month"],
]

export function CronForm({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const names = useWorkflowNames()
  const [name, setName] = useState("")
  const [workflow, setWorkflow] = useState("")
  const [pattern, setPattern] = useState("0 6 * * *")
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC")
  const [inputText, setInputText] = useState("")
  const [catchUp, setCatchUp] = useState("one")
  const [overlap, setOverlap] = useState("all")
  const input = readObject(inputText)
  const chosen = workflow || (names[0] ?? "")
  const body = {
    name,
    workflow_name: chosen,
    pattern,
    time_zone: zone,
    workflow_input: input.value ?? {},
    catch_up: catchUp,
    overlap,
  }
  return (
    <FormDialog
      title="New cron trigger"
      submit="Create"
      icon="plus"
      action="cron-trigger.create"
      wide
      isReady={name !== "" && chosen !== "" && pattern !== "" && input.error === null}
      commands={{
        cli:
          `ostro cron-trigger create ${quoted(name || "NAME")} ${quoted(chosen || "WORKFLOW")}` +
          ` --pattern ${quoted(pattern)} --time-zone ${quoted(zone)}${keyValues("-i", input.value ?? {})}` +
          (catchUp === "one" ? "" : ` --catch-up ${catchUp}`) +
          (overlap === "all" ? "" : ` --overlap ${overlap}`),
        curl: curlLine("POST", "/v2/cron_triggers", body),
      }}
      onSubmit={async () => {
        await api.post("/v2/cron_triggers", body)
        toast(`${name} is set.`)
        onDone()
      }}
      onClose={onClose}
    >
      <div className="form-row">
        <TextField label="Name" value={name} onChange={(event) => setName(event.target.value)} required autoFocus />
        <SelectField
          label="Workflow"
          options={names}
          value={chosen}
          onChange={(event) => setWorkflow(event.target.value)}
          hint={names.length === 0 ? "There is no workflow yet." : undefined}
        />
      </div>
      <div className="form-row">
        <TextField
          label="Pattern"
          className="input mono"
          value={pattern}
          onChange={(event) => setPattern(event.target.value)}
          hint="Minute, hour, day of month, month, day of week"
          required
        />
        <TextField label="Time zone" value={zone} onChange={(event) => setZone(event.target.value)} required />
      </div>
      <div className="row wrap presets" role="group" aria-label="Common patterns">
        {PRESETS.map(([value, label]) => (
          <button key={value} type="button" className="link-button" onClick={() => setPattern(value)}>
            {label}
          </button>
        ))}
      </div>
      <TextArea
        label="Input"
        value={inputText}
        placeholder='{"region": "eu"}'
        onChange={(event) => setInputText(event.target.value)}
        error={input.error}
        hint="JSON"
      />
      <div className="form-row">
        <SelectField
          label="Times that were missed"
          options={Object.entries(CATCH_UP)}
          value={catchUp}
          onChange={(event) => setCatchUp(event.target.value)}
        />
        <SelectField
          label="If the one before still runs"
          options={Object.entries(OVERLAP)}
          value={overlap}
          onChange={(event) => setOverlap(event.target.value)}
        />
      </div>
    </FormDialog>
  )
}
