/** What was saved before, and what changed from one to the next. */
import { useQuery } from "@tanstack/react-query"
import { lazy, Suspense, useState } from "react"
import { useNavigate } from "react-router"
import { api } from "~/api/client"
import {
  Button,
  CommandsButton,
  curlLine,
  Empty,
  ErrorNote,
  exactText,
  Loading,
  millis,
  Page,
  quoted,
  SelectField,
} from "~/ui"
import { readable } from "./automationText"
import { DefinitionTabs } from "./DefinitionTabs"
import { linkOf, type Definition, type KindInfo } from "./kinds"
import { useWhyReadOnly } from "./useSaving"

const DiffView = lazy(() => import("~/editor/DiffView"))
const MOST = 100

interface Revision {
  id: string
  created_at: string
  definition: string
  is_current: boolean
}

export function RevisionsPage({ info, definition }: { info: KindInfo; definition: Definition }) {
  const path = `/v2/workflows/${encodeURIComponent(definition.id)}/revisions`
  const { data, error, refetch } = useQuery({
    queryKey: ["revisions", definition.id],
    queryFn: async () => {
      const { revisions } = await api.get<{ revisions: Revision[] }>(path, { limit: MOST })
      return info.kind === "automation"
        ? revisions.map((one) => ({ ...one, definition: readable(one.definition) }))
        : revisions
    },
    staleTime: 0,
  })
  const [chosen, setChosen] = useState<{ before?: string; after?: string }>({})
  const [isUnified, setUnified] = useState(() => innerWidth < 1100)
  const navigate = useNavigate()
  const whyReadOnly = useWhyReadOnly(info, definition)
  const after = data?.find((one) => one.id === chosen.after) ?? data?.[0]
  const before = data?.find((one) => one.id === chosen.before) ?? (after && data?.[data.indexOf(after) + 1]) ?? after
  const options = (data ?? []).map((one, i) => [one.id, nameOf(one, (data?.length ?? 0) - i)] as const)
  return (
    <Page
      wide
      title={definition.name}
      back={{ to: info.path, label: info.title }}
      actions={
        <CommandsButton
          commands={{ cli: `ostro workflow revisions ${quoted(definition.name)}`, curl: curlLine("GET", path) }}
        />
      }
    >
      <DefinitionTabs info={info} definition={definition} />
      {error ? <ErrorNote error={error} onRetry={() => void refetch()} /> : null}
      {!data && !error ? <Loading /> : null}
      {data?.length === 0 ? <Empty icon="clock" title="There are no revisions" /> : null}
      {before && after ? (
        <>
          <div className="revision-tools">
            <SelectField
              label="From"
              options={options}
              value={before.id}
              onChange={(event) => setChosen({ before: event.target.value, after: after.id })}
            />
            <SelectField
              label="To"
              options={options}
              value={after.id}
              onChange={(event) => setChosen({ before: before.id, after: event.target.value })}
            />
            <div className="segments" role="group" aria-label="How to compare">
              <button type="button" className="segment" aria-pressed={!isUnified} onClick={() => setUnified(false)}>
                Side by side
              </button>
              <button type="button" className="segment" aria-pressed={isUnified} onClick={() => setUnified(true)}>
                In one
              </button>
            </div>
            {before.is_current || whyReadOnly ? null : (
              <Button
                icon="edit"
                onClick={() => void navigate(linkOf(info, definition), { state: { text: before.definition } })}
              >
                Edit the earlier text
              </Button>
            )}
          </div>
          {before.definition === after.definition ? (
            <p className="soft">
              {data?.length === 1 ? "This is the only revision." : "There is no difference between these two."}
            </p>
          ) : null}
          <Suspense fallback={<Loading label="Loading the comparison" />}>
            <DiffView
              before={before.definition}
              after={after.definition}
              isUnified={isUnified}
              labels={["Earlier text", "Later text"]}
            />
          </Suspense>
        </>
      ) : null}
    </Page>
  )
}

function nameOf({ created_at, is_current }: Revision, number: number): string {
  const at = millis(created_at)
  return `${number}: ${at === null ? created_at : exactText(at)}${is_current ? " (current)" : ""}`
}
