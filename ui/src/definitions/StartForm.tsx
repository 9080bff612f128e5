/** Fields for the declared inputs of a workflow, or one JSON text for all of them. */
import { useId, useState } from "react"
import { isRecord } from "~/api/client"
import { Button, Checkbox, readObject, TextArea, TextField } from "~/ui"
import { fieldsOf, inputOf, readField, typeName, type FormField, type Input } from "./fields"

interface Props {
  inputs: readonly Input[]
  /** Of an earlier execution. */
  values?: Readonly<Record<string, unknown>>
  /** Null while something is wrong. */
  onChange: (input: Record<string, unknown> | null) => void
}

export function StartForm({ inputs, values, onChange }: Props) {
  const [fields, setFields] = useState(() => fieldsOf(inputs, values))
  const [json, setJson] = useState<string | null>(null)
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const change = (name: string, text: string) => {
    const next = fields.map((field) => (field.name === name ? { ...field, text } : field))
    setFields(next)
    setTouched(new Set(touched).add(name))
    onChange(inputOf(next))
  }
  const changeJson = (text: string) => {
    setJson(text)
    onChange(readObject(text).value)
  }
  const toJson = () => setJson(JSON.stringify(inputOf(fields) ?? partOf(fields), null, 2))
  const toForm = () => {
    const read = readObject(json ?? "")
    if (!isRecord(read.value)) return
    const next = fieldsOf(inputs, read.value)
    setFields(next)
    setJson(null)
    onChange(inputOf(next))
  }
  const isForm = json === null
  return (
    <fieldset className="start-form">
      <legend className="row spread">
        <span className="strong">Input</span>
        <Button small kind="quiet" icon={isForm ? "data" : "list"} onClick={isForm ? toJson : toForm}>
          {isForm ? "As JSON" : "As a form"}
        </Button>
      </legend>
      {isForm ? (
        fields.length ? (
          fields.map((field) => (
            <Field
              key={field.name}
              field={field}
              isTouched={touched.has(field.name)}
              onChange={(text) => change(field.name, text)}
            />
          ))
        ) : (
          <p className="soft">This workflow declares no input.</p>
        )
      ) : (
        <TextArea
          label="Input (JSON)"
          rows={10}
          error={readObject(json).error}
          value={json}
          onChange={(event) => changeJson(event.target.value)}
        />
      )}
    </fieldset>
  )
}

/** What can be read of fields of which some are wrong. */
function partOf(fields: readonly FormField[]): Record<string, unknown> {
  return inputOf(fields.filter((field) => readField(field).error === null)) ?? {}
}

function Field({
  field,
  isTouched,
  onChange,
}: {
  field: FormField
  isTouched: boolean
  onChange: (text: string) => void
}) {
  const id = useId()
  const { name, kind, text, isRequired } = field
  const label = isRequired ? `${name} (needed)` : name
  const read = readField(field)
  const error = isTouched ? read.error : null
  if (kind === "boolean") {
    return (
      <Checkbox label={name} checked={text === "true"} onChange={(event) => onChange(String(event.target.checked))} />
    )
  }
  if (kind === "json") {
    return (
      <TextArea
        label={label}
        hint="JSON"
        error={error}
        rows={Math.min(10, text.split("\n").length + 1)}
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
    )
  }
  const hint =
    kind === "any" && read.error === null && text.trim()
      ? `Read as ${typeName(read.value)}.`
      : kind === "any"
        ? "Text, a number or JSON."
        : undefined
  return (
    <TextField
      key={id}
      label={label}
      hint={hint}
      error={error}
      inputMode={kind === "number" ? "decimal" : "text"}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}
