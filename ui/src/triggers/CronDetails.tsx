import { useQuery } from "@tanstack/react-query"
import { Link } from "react-router"
import { api, parsed } from "~/api/client"
import { fetchRows } from "~/executions/rows"
import { Button, Dialog, ErrorNote, exactText, Facts, JsonViewer, Loading, millis, Note, State, Time } from "~/ui"
import type { Cron } from "./types"

interface Next {
  times: string[]
  time_zone: string
}

/** One cron trigger: the next five times, what it gives to its workflow, how the last executions went. */
export function CronDetails({ cron, onClose, onDelete }: { cron: Cron; onClose: () => void; onDelete?: () => void }) {
  const next = useQuery({
    queryKey: ["cron", cron.id, "next", cron.next_execution_time],
    queryFn: ({ signal }) => api.get<Next>(`/v2/cron_triggers/${cron.id}/next`, { count: 5 }, signal),
  })
  const results = useQuery({
    queryKey: ["cron", cron.id, "results", cron.last_execution_id],
    queryFn: async ({ signal }) => {
      const query = {
        description: `has:${cron.id}`,
        workflow_id: cron.workflow_id,
        sort_keys: "created_at",
        sort_dirs: "desc",
      }
      return await fetchRows(query, 5, "", signal)
    },
  })
  return (
    <Dialog title={cron.name} wide onClose={onClose}>
      {cron.last_error ? (
        <Note tone="error" icon="error">
          <p className="strong">{`The last start failed${cron.failures && cron.failures > 1 ? ` (${cron.failures} in a row)` : ""}`}</p>
          <p className="note-text">{cron.last_error}</p>
        </Note>
      ) : null}
      <Facts
        facts={[
          [
            "Workflow",
            <Link key="w" to={`/workflows/${cron.workflow_id}`}>
              {cron.workflow_name}
            </Link>,
          ],
          ["Pattern", <code key="p">{cron.pattern ?? "once"}</code>],
          ["Time zone", cron.time_zone ?? "UTC"],
          ["Missed times", CATCH_UP[cron.catch_up ?? "one"] ?? cron.catch_up],
          ["If it still runs", OVERLAP[cron.overlap ?? "all"] ?? cron.overlap],
          ["Starts left", cron.remaining_executions ?? "no end"],
        ]}
      />
      <div className="cron-columns">
        <section>
          <h3>
            Next five times <span className="soft small">in your time zone</span>
          </h3>
          {next.isPending ? <Loading /> : null}
          {next.error ? <ErrorNote error={next.error} onRetry={() => void next.refetch()} /> : null}
          <ol className="cron-times" aria-label="Next five times">
            {next.data?.times.map((time) => (
              <li key={time}>
                <span>{exactText(millis(time) ?? 0)}</span>
                <span className="soft">
                  <Time at={time} />
                </span>
              </li>
            ))}
          </ol>
        </section>
        <section>
          <h3>Last executions</h3>
          {results.data && results.data.length === 0 ? <p className="soft">It has not started any yet.</p> : null}
          <ul className="cron-times">
            {results.data?.map((row) => (
              <li key={row.id}>
                <Link to={`/executions/${row.id}`} className="row">
                  <State state={row.state} />
                  <Time at={row.created_at} />
                </Link>
              </li>
            ))}
          </ul>
        </section>
      </div>
      <section>
        <h3>Input</h3>
        <JsonViewer value={parsed(cron.workflow_input)} label="Input" />
      </section>
      {onDelete ? (
        <div className="form-buttons">
          <Button kind="danger" icon="trash" onClick={onDelete}>
            Delete …
          </Button>
        </div>
      ) : null}
    </Dialog>
  )
}

export const CATCH_UP: Record<string, string> = {
  one: "one start for all of them",
  all: "all are made up for",
  skip: "left out",
}
export const OVERLAP: Record<string, string> = {
  all: "start anyway",
  skip: "leave that time out",
  one: "one start waits",
}
