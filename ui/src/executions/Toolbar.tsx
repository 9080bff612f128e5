import { useQuery } from "@tanstack/react-query"
import { useEffect, useId, useState } from "react"
import { useNavigate } from "react-router"
import { api } from "~/api/client"
import { Button, Icon, SelectField, stateLook, TextField } from "~/ui"
import { type Filters, isFiltered, PERIODS } from "./filters"

const STATES = ["RUNNING", "PAUSED", "ERROR", "SUCCESS", "CANCELLED"]
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const TYPING_MS = 250

/** Names of workflows for fields that ask for one. */
export function useWorkflowNames(): string[] {
  const query = useQuery({
    queryKey: ["workflow-names"],
    queryFn: async ({ signal }) => {
      const query = { fields: "name", limit: 2000, sort_keys: "name" }
      const { workflows } = await api.get<{ workflows: { name: string }[] }>("/v2/workflows", query, signal)
      return [...new Set(workflows.map((workflow) => workflow.name))]
    },
    staleTime: 60_000,
  })
  return query.data ?? []
}

/** The filters of the list. */
export function Toolbar({ filters, onChange }: { filters: Filters; onChange: (change: Partial<Filters>) => void }) {
  const toggle = (state: string) => {
    const states = filters.states.includes(state)
      ? filters.states.filter((one) => one !== state)
      : [...filters.states, state]
    onChange({ states })
  }
  return (
    <div className="toolbar" role="search" aria-label="Filter executions">
      <div className="segments" role="group" aria-label="State">
        <button
          type="button"
          className="segment"
          aria-pressed={filters.states.length === 0}
          onClick={() => onChange({ states: [] })}
        >
          All
        </button>
        {STATES.map((state) => (
          <button
            key={state}
            type="button"
            className="segment"
            aria-pressed={filters.states.includes(state)}
            onClick={() => toggle(state)}
          >
            <Icon name={stateLook(state).icon} size={13} />
            {stateLook(state).label}
          </button>
        ))}
      </div>
      <Search text={filters.text} onChange={(text) => onChange({ text })} />
      <WorkflowField value={filters.workflow} onChange={(workflow) => onChange({ workflow })} />
      <Settled
        label="Tags"
        placeholder="Tags"
        value={filters.tags.join(", ")}
        onChange={(value) =>
          onChange({
            tags: value
              .split(",")
              .map((tag) => tag.trim())
              .filter((tag) => tag !== ""),
          })
        }
      />
      <div className="toolbar-period">
        <SelectField
          label="Started"
          hideLabel
          options={PERIODS}
          value={filters.since}
          onChange={(event) => onChange({ since: event.target.value })}
        />
      </div>
      {filters.since === "exact" ? (
        <>
          <TextField
            label="From"
            hideLabel
            type="datetime-local"
            value={filters.from}
            onChange={(event) => onChange({ from: event.target.value })}
          />
          <TextField
            label="Until"
            hideLabel
            type="datetime-local"
            value={filters.to}
            onChange={(event) => onChange({ to: event.target.value })}
          />
        </>
      ) : null}
      {isFiltered(filters) ? (
        <Button
          kind="quiet"
          icon="cross"
          onClick={() => onChange({ states: [], workflow: "", tags: [], since: "", from: "", to: "", text: "" })}
        >
          Clear
        </Button>
      ) : null}
    </div>
  )
}

function Search({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const navigate = useNavigate()
  return (
    <Settled
      label="Search in names, descriptions, errors, tags and ids"
      placeholder="Search"
      isSearch
      value={text}
      onChange={(value) => {
        const wanted = value.trim()
        if (UUID.test(wanted)) void navigate(`/executions/${wanted.toLowerCase()}`)
        else onChange(wanted)
      }}
    />
  )
}

/** A field that tells its value when nobody has typed for a moment, or at Enter. */
function Settled({
  label,
  placeholder,
  value,
  onChange,
  isSearch = false,
}: {
  label: string
  placeholder: string
  value: string
  onChange: (value: string) => void
  isSearch?: boolean
}) {
  const [typed, setTyped] = useState(value)
  const [isTyping, setTyping] = useState(false)
  useEffect(() => {
    if (!isTyping) setTyped(value)
  }, [value, isTyping])
  useEffect(() => {
    if (!isTyping) return
    const timer = setTimeout(() => {
      setTyping(false)
      if (typed !== value) onChange(typed)
    }, TYPING_MS)
    return () => clearTimeout(timer)
  })
  return (
    <div className={isSearch ? "toolbar-search" : "toolbar-field"}>
      {isSearch ? <Icon name="search" size={14} /> : null}
      <TextField
        label={label}
        hideLabel
        type={isSearch ? "search" : "text"}
        placeholder={placeholder}
        {...(isSearch ? { "data-search": "" } : {})}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          setTyping(true)
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") onChange(typed)
          if (event.key === "Escape") event.currentTarget.blur()
        }}
      />
    </div>
  )
}

function WorkflowField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const names = useWorkflowNames()
  const listId = useId()
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped(value), [value])
  const take = (name: string) => {
    setTyped(name)
    if (name === "" || names.includes(name)) onChange(name)
  }
  return (
    <div className="toolbar-field wide-field">
      <TextField
        label="Workflow"
        hideLabel
        placeholder="Workflow"
        list={listId}
        value={typed}
        onChange={(event) => take(event.target.value)}
        onBlur={() => onChange(typed.trim())}
        onKeyDown={(event) => {
          if (event.key === "Enter") onChange(typed.trim())
        }}
      />
      <datalist id={listId}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  )
}
