import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { api, parsed } from "~/api/client"
import type { EventTrigger } from "~/api/types"
import { curlLine, FormDialog, keyValues, quoted, readObject, SelectField, TextArea, TextField, toast } from "~/ui"
import { workflowChoices } from "./choices"

/** Makes an event trigger, or changes one: its events stay what they are then. */
export function EventForm({
  trigger,
  onClose,
  onDone,
}: {
  trigger?: EventTrigger
  onClose: () => void
  onDone: () => void
}) {
  const workflows = useQuery(workflowChoices)
  const [name, setName] = useState(trigger?.name ?? "")
  const [workflow, setWorkflow] = useState(trigger?.workflow_id ?? "")
  const [exchange, setExchange] = useState(trigger?.exchange ?? "")
  const [topic, setTopic] = useState(trigger?.topic ?? "")
  const [event, setEvent] = useState(trigger?.event ?? "")
  const [inputText, setInputText] = useState(trigger ? JSON.stringify(parsed(trigger.workflow_input), null, 2) : "")
  const input = readObject(inputText)
  const choices = workflows.data ?? []
  const chosen = workflow || (choices[0]?.id ?? "")
  const body = trigger
    ? { name, workflow_id: chosen, workflow_input: input.value ?? {} }
    : { name, workflow_id: chosen, exchange, topic, event, workflow_input: input.value ?? {} }
  const [method, path] = trigger ? ["PUT", `/v2/event_triggers/${trigger.id}`] : ["POST", "/v2/event_triggers"]
  const workflowName = choices.find((one) => one.id === chosen)?.name ?? "WORKFLOW"
  return (
    <FormDialog
      title={trigger ? `Edit ${trigger.name}` : "New event trigger"}
      {...(trigger
        ? { submit: "Save", action: "event-trigger.update" }
        : { submit: "Create", action: "event-trigger.create" })}
      wide
      isReady={name !== "" && chosen !== "" && exchange !== "" && topic !== "" && event !== "" && input.error === null}
      commands={{
        cli:
          (trigger
            ? `ostro event-trigger update ${trigger.id} --workflow ${quoted(workflowName)}`
            : `ostro event-trigger create ${quoted(workflowName)} --exchange ${quoted(exchange || "EXCHANGE")}` +
              ` --topic ${quoted(topic || "TOPIC")} --event ${quoted(event || "EVENT")}`) +
          ` --name ${quoted(name || "NAME")}${keyValues("-i", input.value ?? {})}`,
        curl: curlLine(method ?? "POST", path ?? "", body),
      }}
      onSubmit={async () => {
        await (trigger ? api.put(`/v2/event_triggers/${trigger.id}`, body) : api.post("/v2/event_triggers", body))
        toast(trigger ? "The trigger is changed." : `${name} is set.`)
        onDone()
      }}
      onClose={onClose}
    >
      <div className="form-row">
        <TextField label="Name" value={name} onChange={(change) => setName(change.target.value)} required autoFocus />
        <SelectField
          label="Workflow"
          options={choices.map((one) => [one.id, one.name] as const)}
          value={chosen}
          onChange={(change) => setWorkflow(change.target.value)}
        />
      </div>
      <div className="form-row">
        <TextField
          label="Exchange"
          value={exchange}
          onChange={(change) => setExchange(change.target.value)}
          disabled={trigger !== undefined}
          required
        />
        <TextField
          label="Topic"
          value={topic}
          onChange={(change) => setTopic(change.target.value)}
          disabled={trigger !== undefined}
          required
        />
        <TextField
          label="Event"
          value={event}
          onChange={(change) => setEvent(change.target.value)}
          disabled={trigger !== undefined}
          required
        />
      </div>
      <TextArea
        label="Input of the workflow"
        value={inputText}
        placeholder='{"region": "<% $.payload.region %>"}'
        onChange={(change) => setInputText(change.target.value)}
        error={input.error}
        hint="JSON; expressions see the event as $.payload, $.event_type, $.id and more."
      />
    </FormDialog>
  )
}
