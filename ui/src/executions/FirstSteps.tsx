import { useState } from "react"
import { Link, useNavigate } from "react-router"
import { api, ApiError } from "~/api/client"
import type { Execution } from "~/api/types"
import { useLogOut, useSession } from "~/app/session"
import { Button, ButtonLink, CommandLines, toastError, useMay } from "~/ui"
import "./firstSteps.css"

const NAME = "hello"
const EXAMPLE = `version: '2.0'

${NAME}:
  description: Says hello to everybody at once.
  input:
    - names: [Ada, Grace, Linus]
  output:
    greetings: <% $.greetings %>
  tasks:
    prepare:
      action: std.noop
      on-success: greet
    greet:
      with-items: name in <% $.names %>
      action: std.echo output="Hello, <% $.name %>!" delay=1
      publish:
        greetings: <% task().result %>
      on-success: rest
    rest:
      wait-before: 2
      action: std.noop
`

/** What an empty installation shows: what this is, and a button that makes it move. `isEverywhere`: not only in the
 * project of the log-in. */
export function FirstSteps({ isEverywhere = false }: { isEverywhere?: boolean }) {
  const navigate = useNavigate()
  const [isBusy, setBusy] = useState(false)
  const may = useMay()
  const { auth, project_id } = useSession()
  const run = async () => {
    setBusy(true)
    try {
      await api.upload("POST", "/v2/workflows", EXAMPLE).catch((error: unknown) => {
        if (!(error instanceof ApiError && error.status === 409)) throw error // it is there already
      })
      const started = await api.post<Execution>("/v2/executions", {
        workflow_name: NAME,
        description: "My first workflow",
      })
      await navigate(`/executions/${started.id}`)
    } catch (error) {
      toastError(error)
      setBusy(false)
    }
  }
  return (
    <section className="first-steps" aria-label="First steps">
      <div className="first-text">
        <h2>
          {auth === "none" || isEverywhere
            ? "Nothing has run here yet"
            : `Nothing has run in project ${project_id} yet`}
        </h2>
        {isEverywhere ? null : <OtherProjects />}
        <p className="soft">
          A workflow is a list of tasks in YAML: what to do, in which order, what to do if it fails. Ostro runs it to
          its end, also through a restart of this server. This one greets three people at once, then rests for two
          seconds.
        </p>
        <div className="row wrap">
          {may("workflow.create") ? (
            <Button
              kind="primary"
              icon="executions"
              isBusy={isBusy}
              action="execution.start"
              onClick={() => void run()}
            >
              Create and run this example
            </Button>
          ) : null}
          <ButtonLink to="/workflows/new" icon="edit" action="workflow.create">
            Write my own
          </ButtonLink>
        </div>
        <CommandLines
          cli={`ostro workflow create hello.yaml && ostro execution start ${NAME} --wait`}
          curl={`curl -sS --data-binary @hello.yaml -H 'Content-Type: text/plain' ${location.origin}/v2/workflows && curl -sS --json '{"workflow_name": "${NAME}"}' ${location.origin}/v2/executions`}
        />
      </div>
      <pre className="first-code" tabIndex={0} aria-label="The example, hello.yaml">
        {EXAMPLE}
      </pre>
    </section>
  )
}

/** What one wanted to see may be elsewhere: a log-in is for one project. */
function OtherProjects() {
  const { by, is_admin } = useSession()
  const logOut = useLogOut()
  if (by !== "cookie") return null
  return (
    <p>
      {is_admin ? (
        <>
          You are an administrator: <Link to="/executions">Executions</Link> has those of all projects.{" "}
        </>
      ) : null}
      To see another project,{" "}
      <button type="button" className="link-button" onClick={() => void logOut()}>
        log in to it
      </button>
      .
    </p>
  )
}
