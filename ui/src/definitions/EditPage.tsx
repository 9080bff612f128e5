/** The text of a definition in an editor, checked and drawn while somebody types; saving it makes a revision. */
import { useQueryClient } from "@tanstack/react-query"
import { lazy, Suspense, useCallback, useMemo, useState } from "react"
import { useLocation, useNavigate } from "react-router"
import { Button, CommandLines, Dialog, ErrorNote, Loading, Menu, Page, toast, toastError, type MenuItem } from "~/ui"
import { completeYaml } from "~/editor/completion"
import { DefinitionTabs } from "./DefinitionTabs"
import { DeleteDefinition } from "./DeleteDefinition"
import { linkOf, type Definition, type KindInfo } from "./kinds"
import { LeaveGuard } from "./LeaveGuard"
import { OvertakenNote } from "./OvertakenNote"
import { Preview } from "./Preview"
import { Problems } from "./Problems"
import { RunButton } from "./RunButton"
import { commandsOf, create, Overtaken, update } from "./saving"
import { definitionQuery, knowledgeOf, useLint } from "./useDefinition"
import { useWhyReadOnly } from "./useSaving"

const CodeEditor = lazy(() => import("~/editor/CodeEditor"))

export function EditPage({ info, definition }: { info: KindInfo; definition: Definition | null }) {
  const { kind } = info
  const given = (useLocation().state as { text?: string } | null)?.text
  const [base, setBase] = useState(definition)
  const whyReadOnly = useWhyReadOnly(info, definition)
  const canSave = whyReadOnly === null
  const [saved, setSaved] = useState(definition?.text ?? info.template)
  const [text, setText] = useState(given ?? saved)
  const [goTo, setGoTo] = useState<{ line: number } | null>(null)
  const [line, setLine] = useState(0)
  const [isSaving, setSaving] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [open, setOpen] = useState<"delete" | "commands" | null>(null)
  const [isLeaving, setLeaving] = useState(false)
  const { problems, isCurrent } = useLint(kind, text)
  const client = useQueryClient()
  const navigate = useNavigate()
  const isChanged = text !== saved

  const complete = useMemo(() => completeYaml(() => knowledgeOf(client, kind)), [client, kind])
  const showLine = useCallback((to: number) => setGoTo({ line: to }), [])

  const save = async (isForced = false) => {
    if (isSaving || !canSave) return
    setSaving(true)
    setError(null)
    try {
      if (base === null) {
        const made = await create(info, text)
        void client.invalidateQueries({ queryKey: ["definitions", kind] })
        toast(`${made.name} is saved.`)
        setLeaving(true)
        setTimeout(() => void navigate(linkOf(info, made), { replace: true }), 0)
        return
      }
      const id = kind === "workbook" ? base.name : base.id
      await update(info, id, text, isForced ? null : base)
      toast(`${base.name} is saved.`)
      void client.invalidateQueries({ queryKey: ["definitions", kind] })
      const fresh = await client.fetchQuery(definitionQuery(info, id))
      // The server may keep the text in another form: what was typed stays, also what was typed since.
      setBase(fresh)
      setSaved(text)
    } catch (problem) {
      setError(problem)
    } finally {
      setSaving(false)
    }
  }

  const change = (to: string) => {
    setText(to)
    // What was refused is no more; the problems below the text are of the new one.
    setError((old: unknown) => (old instanceof Overtaken ? old : null))
  }

  const openFile = () => {
    const input = document.createElement("input")
    input.type = "file"
    input.accept = ".yaml,.yml,.json,.txt"
    input.onchange = () => void input.files?.[0]?.text().then(change, toastError)
    input.click()
  }
  const items: MenuItem[] = [
    ...(canSave ? [{ label: "Open a file …", icon: "external" as const, onSelect: openFile }] : []),
    { label: "Show as commands …", icon: "terminal", onSelect: () => setOpen("commands") },
    ...(base && canSave
      ? [
          {
            label: "Delete …",
            icon: "trash" as const,
            isDanger: true,
            ...info.verbs.delete,
            onSelect: () => setOpen("delete"),
          },
        ]
      : []),
  ]
  const hasGraph = kind !== "action"
  return (
    <Page
      wide
      title={base?.name ?? `New ${info.one}`}
      back={{ to: info.path, label: info.title }}
      note={whyReadOnly ? `Read only. ${whyReadOnly}` : undefined}
      actions={
        <>
          {isChanged ? <span className="unsaved">Not saved</span> : null}
          {canSave ? (
            <Button
              kind="primary"
              icon="check"
              action={info.verbs[base ? "update" : "create"].action}
              isBusy={isSaving}
              disabled={!isChanged && base !== null}
              onClick={() => void save()}
            >
              Save
            </Button>
          ) : null}
          {base ? <RunButton kind={kind} definition={base} disabled={isChanged} /> : null}
          <Menu label="More actions" items={items} />
        </>
      }
    >
      {base ? <DefinitionTabs info={info} definition={base} /> : null}
      {error instanceof Overtaken ? (
        <OvertakenNote
          theirs={error.theirs}
          mine={text}
          onOverwrite={() => void save(true)}
          onTake={() => {
            setBase(error.theirs)
            setText(error.theirs.text)
            setSaved(error.theirs.text)
            setError(null)
          }}
          onClose={() => setError(null)}
        />
      ) : error ? (
        <ErrorNote error={error} />
      ) : null}
      <div className={`edit-body ${hasGraph ? "with-graph" : ""}`}>
        <div className="edit-text">
          <Suspense fallback={<Loading label="Loading the editor" />}>
            <CodeEditor
              label={`Text of the ${info.one}`}
              value={text}
              {...(canSave ? { onChange: change } : {})}
              problems={problems}
              complete={complete}
              goTo={goTo}
              onLine={setLine}
              onSave={() => void save()}
            />
          </Suspense>
          <Problems problems={problems} isCurrent={isCurrent} onGo={showLine} />
        </div>
        {hasGraph ? <Preview text={text} line={line} onGo={showLine} /> : null}
      </div>
      <LeaveGuard isActive={isChanged && !isLeaving} />
      {open === "delete" && base ? (
        <DeleteDefinition info={info} definition={base} onClose={() => setOpen(null)} />
      ) : null}
      {open === "commands" ? (
        <Dialog title="Save it from a shell" onClose={() => setOpen(null)}>
          <CommandLines {...commandsOf(info, base)} />
        </Dialog>
      ) : null}
    </Page>
  )
}
