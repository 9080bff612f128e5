/** What can be done with an execution now; the rest is in the menu. */
import { useState } from "react"
import { useNavigate } from "react-router"
import { api } from "~/api/client"
import type { Execution } from "~/api/types"
import {
  Button,
  CommandLines,
  curlLine,
  Dialog,
  isUnfinished,
  Menu,
  quoted,
  TextArea,
  TextField,
  readObject,
  toastError,
  type Commands,
  type MenuItem,
} from "~/ui"
import { ConfirmDialog } from "./ConfirmDialog"
import { StartAgain } from "./StartAgain"
import { useChange } from "./useChange"

type Open = "cancel" | "delete" | "describe" | "again" | "resume" | "commands" | null

export function ExecutionActions({ execution }: { execution: Execution }) {
  const { id, state } = execution
  const [open, setOpen] = useState<Open>(null)
  const { run, isBusy } = useChange()
  const close = () => setOpen(null)
  const set = (to: string, said: string) => {
    void run(() => api.put(`/v2/executions/${id}`, { state: to }), said, toastError)
  }
  const isOpen = isUnfinished(state)
  const items: MenuItem[] = [
    { label: "Start again …", icon: "executions", action: "execution.start-again", onSelect: () => setOpen("again") },
    ...(state === "PAUSED"
      ? [
          {
            label: "Resume with an environment …",
            icon: "environment" as const,
            action: "execution.resume",
            onSelect: () => setOpen("resume"),
          },
        ]
      : []),
    { label: "Describe …", icon: "edit", action: "execution.describe", onSelect: () => setOpen("describe") },
    { label: "Show as commands …", icon: "terminal", onSelect: () => setOpen("commands") },
    { label: "Delete …", icon: "trash", isDanger: true, action: "execution.delete", onSelect: () => setOpen("delete") },
  ]
  return (
    <>
      {state === "RUNNING" ? (
        <Button
          icon="pause"
          action="execution.pause"
          isBusy={isBusy}
          onClick={() => set("PAUSED", "The execution is paused.")}
        >
          Pause
        </Button>
      ) : null}
      {state === "PAUSED" ? (
        <Button
          kind="primary"
          icon="executions"
          action="execution.resume"
          isBusy={isBusy}
          onClick={() => set("RUNNING", "The execution goes on.")}
        >
          Resume
        </Button>
      ) : null}
      {isOpen ? (
        <Button icon="stop" action="execution.cancel" onClick={() => setOpen("cancel")}>
          Cancel
        </Button>
      ) : (
        <Button icon="executions" action="execution.start-again" onClick={() => setOpen("again")}>
          Start again
        </Button>
      )}
      <Menu label="More actions" items={items} />
      {open === "cancel" ? <CancelDialog execution={execution} onClose={close} /> : null}
      {open === "delete" ? <DeleteDialog execution={execution} onClose={close} /> : null}
      {open === "describe" ? <DescribeDialog execution={execution} onClose={close} /> : null}
      {open === "resume" ? <ResumeDialog execution={execution} onClose={close} /> : null}
      {open === "again" ? <StartAgain execution={execution} onClose={close} /> : null}
      {open === "commands" ? <CommandsDialog execution={execution} onClose={close} /> : null}
    </>
  )
}

interface DialogProps {
  execution: Execution
  onClose: () => void
}

const path = (id: string): string => `/v2/executions/${id}`

function CancelDialog({ execution: { id }, onClose }: DialogProps) {
  const [why, setWhy] = useState("")
  const { run, isBusy, error } = useChange()
  const body = { state: "CANCELLED", ...(why.trim() ? { state_info: why.trim() } : {}) }
  return (
    <ConfirmDialog
      title="Cancel this execution"
      verb="Cancel it"
      action="execution.cancel"
      isDanger
      commands={{ cli: `ostro execution cancel ${id}`, curl: curlLine("PUT", path(id), body) }}
      isBusy={isBusy}
      error={error}
      onClose={onClose}
      onConfirm={() =>
        void run(() => api.put(path(id), body), "The execution is cancelled.").then(
          (done) => done !== undefined && onClose(),
        )
      }
    >
      <p>No further task begins; sub-executions are cancelled, too. Actions that run already are not waited for.</p>
      <TextField
        label="Reason"
        hint="Shown with the execution."
        value={why}
        onChange={(event) => setWhy(event.target.value)}
      />
    </ConfirmDialog>
  )
}

function DeleteDialog({ execution: { id, state, workflow_name }, onClose }: DialogProps) {
  const { run, isBusy, error } = useChange()
  const navigate = useNavigate()
  const query = isUnfinished(state) ? "?force=true" : ""
  return (
    <ConfirmDialog
      title="Delete this execution"
      verb="Delete it"
      action="execution.delete"
      isDanger
      commands={{ cli: `ostro execution delete ${id} --yes`, curl: curlLine("DELETE", path(id) + query) }}
      isBusy={isBusy}
      error={error}
      onClose={onClose}
      onConfirm={() =>
        void run(async () => {
          await api.delete(path(id) + query)
          return true
        }, "The execution is deleted.").then((done) => {
          if (done) void navigate("/executions")
        })
      }
    >
      <p>
        <strong>{workflow_name}</strong> with all its tasks, results and sub-executions will be deleted for good.
        {query ? " It has not finished: what runs is abandoned." : ""}
      </p>
    </ConfirmDialog>
  )
}

function DescribeDialog({ execution: { id, description }, onClose }: DialogProps) {
  const [text, setText] = useState(description)
  const { run, isBusy, error } = useChange()
  const body = { description: text }
  return (
    <ConfirmDialog
      title="Describe this execution"
      verb="Save"
      action="execution.describe"
      commands={{ cli: `ostro execution describe ${id} ${quoted(text)}`, curl: curlLine("PUT", path(id), body) }}
      isBusy={isBusy}
      isReady={text.trim() !== ""}
      error={error}
      onClose={onClose}
      onConfirm={() =>
        void run(() => api.put(path(id), body), "The description is saved.").then(
          (done) => done !== undefined && onClose(),
        )
      }
    >
      <TextField label="Description" value={text} onChange={(event) => setText(event.target.value)} />
    </ConfirmDialog>
  )
}

function ResumeDialog({ execution: { id }, onClose }: DialogProps) {
  const [text, setText] = useState("")
  const { run, isBusy, error } = useChange()
  const env = readObject(text)
  const body = { state: "RUNNING", ...(text.trim() && env.value ? { params: { env: env.value } } : {}) }
  const option = "params" in body ? ` -e ${quoted(JSON.stringify(env.value))}` : ""
  return (
    <ConfirmDialog
      title="Resume with an environment"
      verb="Resume"
      action="execution.resume"
      commands={{ cli: `ostro execution resume ${id}${option}`, curl: curlLine("PUT", path(id), body) }}
      isBusy={isBusy}
      isReady={env.error === null}
      error={error}
      onClose={onClose}
      onConfirm={() =>
        void run(() => api.put(path(id), body), "The execution goes on.").then(
          (done) => done !== undefined && onClose(),
        )
      }
    >
      <TextArea
        label="Environment (JSON)"
        hint="Merged into that of the execution."
        error={env.error}
        placeholder="{}"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </ConfirmDialog>
  )
}

function CommandsDialog({ execution: { id, state }, onClose }: DialogProps) {
  const change = (to: string): string => curlLine("PUT", path(id), { state: to })
  const lines: [string, Commands][] = [
    ["Show", { cli: `ostro execution show ${id}`, curl: curlLine("GET", path(id)) }],
    ["Watch it live", { cli: `ostro execution watch ${id}`, curl: curlLine("GET", `/v2/stream?execution_id=${id}`) }],
    ["What it waits for", { cli: `ostro execution waits ${id}`, curl: curlLine("GET", `${path(id)}/waits`) }],
    ["Report", { cli: `ostro execution report ${id}`, curl: curlLine("GET", `${path(id)}/report`) }],
  ]
  if (state === "RUNNING") lines.push(["Pause", { cli: `ostro execution pause ${id}`, curl: change("PAUSED") }])
  if (state === "PAUSED") lines.push(["Resume", { cli: `ostro execution resume ${id}`, curl: change("RUNNING") }])
  if (isUnfinished(state)) lines.push(["Cancel", { cli: `ostro execution cancel ${id}`, curl: change("CANCELLED") }])
  return (
    <Dialog title="From a shell" wide onClose={onClose}>
      <div className="column">
        {lines.map(([title, commands]) => (
          <section key={title}>
            <h3>{title}</h3>
            <CommandLines {...commands} />
          </section>
        ))}
      </div>
    </Dialog>
  )
}
