/** Starts an execution: asks which workflow, unless that is known, then for its input. */
import { useQuery } from "@tanstack/react-query"
import { useDeferredValue, useState } from "react"
import { api } from "~/api/client"
import type { Workflow } from "~/api/types"
import { ButtonLink, Dialog, Empty, ErrorNote, Icon, Loading } from "~/ui"
import { StartOne } from "./StartOne"
import "./definitions.css"

const SHOWN = 12

export function StartDialog({ workflow, onClose }: { workflow?: string; onClose: () => void }) {
  const [text, setText] = useState(workflow ?? "")
  const [chosen, setChosen] = useState<string | null>(null)
  const wanted = useDeferredValue(text.trim())
  const { data, error } = useQuery({
    queryKey: ["definitions", "start", wanted],
    queryFn: ({ signal }) =>
      api.get<{ workflows: Workflow[] }>("/v2/workflows", { fields: "id,name,input,namespace", sort_keys: "name", limit: SHOWN, ...(wanted ? { name: `has:${wanted}` } : {}) }, signal),
    placeholderData: (old) => old,
  })
  const exact = workflow && text === workflow ? data?.workflows.find((one) => one.name === workflow) : undefined
  const id = chosen ?? exact?.id
  if (id) return <StartOne kind="workflow" id={id} onClose={onClose} />
  return (
    <Dialog title="Start a workflow" wide onClose={onClose}>
      <div className="column">
        <label className="search-field wide-field">
          <Icon name="search" size={14} />
          <span className="visually-hidden">Find a workflow by name</span>
          <input
            className="input"
            type="search"
            autoFocus
            placeholder="Which workflow?"
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              const first = data?.workflows[0]
              if (event.key === "Enter" && first) setChosen(first.id)
            }}
          />
        </label>
        {error ? <ErrorNote error={error} /> : null}
        {data === undefined ? (
          error ? null : (
            <Loading />
          )
        ) : data.workflows.length === 0 ? (
          <Empty icon="workflow" title={wanted ? `No workflow has “${wanted}” in its name` : "There is no workflow yet"}>
            <ButtonLink to="/workflows/new" icon="plus">
              Write one
            </ButtonLink>
          </Empty>
        ) : (
          <ul className="pick-list">
            {data.workflows.map((one) => (
              <li key={one.id}>
                <button type="button" className="pick" onClick={() => setChosen(one.id)}>
                  <Icon name="workflow" size={15} />
                  <span className="strong ellipsis">{one.name}</span>
                  <span className="mono soft ellipsis">{one.input}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  )
}
