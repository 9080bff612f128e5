/** The action executions of a task: retries, reruns and items; each with input and output, and its way to be completed. */
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { api, parsed } from "~/api/client"
import type { ActionExecution } from "~/api/types"
import { CommandsButton, curlLine, Duration, Button, Icon, JsonViewer, State, toastError, isUnfinished } from "~/ui"
import { CompleteDialog } from "../actions/CompleteDialog"
import { useChange } from "../actions/useChange"
import { actionsQuery } from "../data"
import type { TaskDetail } from "../types"
import { Section } from "./TaskPanel"

export function Attempts({ task }: { task: TaskDetail }) {
  const { data } = useQuery(actionsQuery(task.id))
  if (!data?.length) return null
  const title = data.length === 1 ? "Action" : `${data.length}${data.length >= 200 ? " or more" : ""} actions`
  return (
    <Section title={title}>
      {data.map((action, i) => (
        <Attempt
          key={action.id}
          action={action}
          isFirstOpen={data.length === 1 || (i === data.length - 1 && isUnfinished(action.state))}
        />
      ))}
    </Section>
  )
}

function Attempt({ action, isFirstOpen }: { action: ActionExecution; isFirstOpen: boolean }) {
  const [isOpen, setOpen] = useState(isFirstOpen)
  const { id, name, state, accepted } = action
  return (
    <div className="attempt">
      <button type="button" className="attempt-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name={isOpen ? "down" : "right"} size={12} />
        <State state={state} />
        <span className="mono ellipsis grow">{name}</span>
        {!accepted && state === "ERROR" ? <span className="soft small">retried</span> : null}
        <span className="soft small">
          <Duration from={action.created_at} to={action.updated_at} isRunning={isUnfinished(state)} />
        </span>
      </button>
      {isOpen ? (
        <div className="attempt-body">
          {isUnfinished(state) ? <ActionButtons id={id} name={action.task_name || name} state={state} /> : null}
          {action.state_info ? <p className="soft">{action.state_info}</p> : null}
          <h4>Input</h4>
          <JsonViewer value={parsed(action.input)} depth={2} label="input of the action" />
          {action.output && !isUnfinished(state) ? (
            <>
              <h4>Output</h4>
              <JsonViewer value={parsed(action.output)} depth={2} label="output of the action" />
            </>
          ) : null}
        </div>
      ) : null}
    </div>
  )
}

/** An action that runs can be completed by hand: an asynchronous one must be. */
function ActionButtons({ id, name, state }: { id: string; name: string; state: string }) {
  const [isCompleting, setCompleting] = useState(false)
  const { run, isBusy } = useChange()
  const path = `/v2/action_executions/${id}`
  const change = (to: string, said: string) => void run(() => api.put(path, { state: to }), said, toastError)
  return (
    <div className="row wrap">
      <Button small kind="primary" icon="check" action="action-execution.complete" onClick={() => setCompleting(true)}>
        Complete …
      </Button>
      {state === "PAUSED" ? (
        <Button
          small
          icon="executions"
          action="action-execution.resume"
          isBusy={isBusy}
          onClick={() => change("RUNNING", "The action goes on.")}
        >
          Resume
        </Button>
      ) : (
        <Button
          small
          icon="pause"
          action="action-execution.pause"
          isBusy={isBusy}
          onClick={() => change("PAUSED", "The action is paused.")}
        >
          Pause
        </Button>
      )}
      <CommandsButton
        commands={{
          cli: `ostro action-execution ${state === "PAUSED" ? "resume" : "pause"} ${id}`,
          curl: curlLine("PUT", path, { state: state === "PAUSED" ? "RUNNING" : "PAUSED" }),
        }}
      />
      {isCompleting ? <CompleteDialog id={id} name={name} onClose={() => setCompleting(false)} /> : null}
    </div>
  )
}
