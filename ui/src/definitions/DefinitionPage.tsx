/** One definition: its text to read and edit, its graph, its revisions. */
import { useQuery } from "@tanstack/react-query"
import { lazy, Suspense } from "react"
import { useParams } from "react-router"
import { Card, ErrorNote, Facts, isMissing, Loading, Missing, Page } from "~/ui"
import { inputsOfText } from "./inputs"
import { KINDS, type Definition, type Kind, type KindInfo } from "./kinds"
import { definitionQuery } from "./useDefinition"
import { RunButton } from "./RunButton"
import "./definitions.css"

const EditPage = lazy(async () => ({ default: (await import("./EditPage")).EditPage }))
const RevisionsPage = lazy(async () => ({ default: (await import("./RevisionsPage")).RevisionsPage }))

export function DefinitionPage({ kind }: { kind: Kind }) {
  const { id = "", view } = useParams()
  const info = KINDS[kind]
  const waiting = (
    <Page title={info.title} back={{ to: info.path, label: info.title }}>
      <Loading />
    </Page>
  )
  return (
    <Suspense fallback={waiting}>
      {id === "new" ? (
        <EditPage key="new" info={info} definition={null} />
      ) : (
        <Known key={id} info={info} id={id} view={view} />
      )}
    </Suspense>
  )
}

function Known({ info, id, view }: { info: KindInfo; id: string; view: string | undefined }) {
  const { data, error, refetch } = useQuery(definitionQuery(info, id))
  const list = { to: info.path, label: info.title }
  if (!data) {
    return (
      <Page title={info.title} back={list}>
        {isMissing(error) ? (
          <Missing what={info.one} list={list} />
        ) : error ? (
          <ErrorNote error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading />
        )}
      </Page>
    )
  }
  if (data.isSystem) return <BuiltIn info={info} definition={data} />
  if (view === "revisions") return <RevisionsPage info={info} definition={data} />
  return <EditPage info={info} definition={data} />
}

/** A built-in action has no text to read: what it takes and does. */
function BuiltIn({ info, definition }: { info: KindInfo; definition: Definition }) {
  const { name, description, input } = definition
  const inputs = inputsOfText(input)
  return (
    <Page
      title={name}
      back={{ to: info.path, label: info.title }}
      note="Built in."
      actions={<RunButton kind="action" definition={definition} />}
    >
      <Card title="What it does">
        <p className="built-in">{description || "It has no description."}</p>
      </Card>
      <Card title="Input">
        {inputs.length ? (
          <Facts
            facts={inputs.map(
              (one) =>
                [
                  one.name,
                  one.is_required ? "needed" : <code key={one.name}>{JSON.stringify(one.default)}</code>,
                ] as const,
            )}
          />
        ) : (
          <p className="soft">None.</p>
        )}
      </Card>
    </Page>
  )
}
