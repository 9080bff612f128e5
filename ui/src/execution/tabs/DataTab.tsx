/** What went in, what came out, what was published on the way. */
import { useQuery } from "@tanstack/react-query"
import { useMemo, useState, type ReactNode } from "react"
import { api, isRecord, parsed } from "~/api/client"
import { Card, Empty, JsonViewer, Loading } from "~/ui"
import { useExecution } from "../ExecutionPage"
import { SearchField } from "../SearchField"
import { found } from "../model/search"
import "./data.css"

interface Publishing {
  id: string
  name: string
  published: string
}

const PUBLISHED = 500

export function DataTab() {
  const { execution, select } = useExecution()
  const [text, setText] = useState("")
  const params = useMemo(() => parsed(execution.params), [execution.params])
  const env = isRecord(params) ? params["env"] : null
  const published = useQuery({
    queryKey: ["execution", execution.id, "published"],
    queryFn: async () =>
      (
        await api.get<{ tasks: Publishing[] }>(`/v2/executions/${execution.id}/tasks`, {
          fields: "id,name,published",
          published: "neq:{}",
          limit: PUBLISHED,
        })
      ).tasks,
  })
  const global = "published_global" in execution ? parsed(execution["published_global"]) : null
  return (
    <div className="data-tab">
      <SearchField
        label="Search in keys and values"
        placeholder="Search in keys and values"
        value={text}
        onChange={setText}
      />
      <div className="data-columns">
        <Data title="Input" value={parsed(execution.input)} text={text} none="It has no input." />
        <Data
          title={execution.state === "ERROR" ? "Output (of an error)" : "Output"}
          value={parsed(execution.output ?? "{}")}
          text={text}
          none="There is no output yet, or it is empty."
        />
        <Data title="Environment" value={env} text={text} none="It has no environment." />
        <Data title="Parameters" value={without(params, "env")} text={text} none="It has no parameters." />
        {isEmpty(global) ? null : <Data title="Published for all branches" value={global} text={text} none="" />}
      </div>
      <Card title="Published by tasks">
        {published.data === undefined ? (
          <Loading />
        ) : published.data.length === 0 ? (
          <p className="soft">No task has published anything.</p>
        ) : (
          <div className="column">
            {published.data.map((task) => (
              <Published key={task.id} task={task} text={text} onSelect={() => select(task.id)} />
            ))}
            {published.data.length === PUBLISHED ? (
              <p className="soft">Only the first {PUBLISHED} tasks are listed.</p>
            ) : null}
          </div>
        )}
      </Card>
    </div>
  )
}

function Data({ title, value, text, none }: { title: string; value: unknown; text: string; none: string }) {
  return (
    <Card title={title}>
      <Searched value={value} text={text} label={title} none={<p className="soft">{none}</p>} depth={3} />
    </Card>
  )
}

/** A value, or with a text to look for what holds it. */
function Searched({
  value,
  text,
  label,
  none,
  depth,
}: {
  value: unknown
  text: string
  label: string
  none: ReactNode
  depth: number
}) {
  const shown = useMemo(() => (text.trim() ? found(value, text.trim()) : value), [value, text])
  if (isEmpty(value)) return none
  if (shown === undefined) return <p className="soft">Nothing in it is like “{text}”.</p>
  return <JsonViewer key={text} value={shown} depth={text ? 20 : depth} label={label} />
}

function Published({ task, text, onSelect }: { task: Publishing; text: string; onSelect: () => void }) {
  const value = useMemo(() => parsed(task.published), [task.published])
  if (isEmpty(value) || (text.trim() && found(value, text.trim()) === undefined)) return null
  return (
    <div>
      <button type="button" className="link-button strong" onClick={onSelect}>
        {task.name}
      </button>
      <Searched
        value={value}
        text={text}
        label={`published by ${task.name}`}
        none={<Empty title="Nothing" />}
        depth={1}
      />
    </div>
  )
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (isRecord(value) && Object.keys(value).length === 0)

function without(value: unknown, name: string): unknown {
  if (!isRecord(value)) return value
  const { [name]: _left, ...rest } = value
  return rest["namespace"] === "" ? without(rest, "namespace") : rest
}
