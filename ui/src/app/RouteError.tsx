import { isRouteErrorResponse, Link, useRouteError } from "react-router"
import { Button, Empty, ErrorNote, Page } from "~/ui"

/** What is shown in place of a view that failed; the rest of the page stays usable. */
export function RouteError() {
  const error = useRouteError()
  if (isRouteErrorResponse(error) && error.status === 404) return <Lost />
  const isOldPage = error instanceof Error && /dynamically imported module|Importing a module/.test(error.message)
  return (
    <Page title="Something went wrong">
      {isOldPage ? (
        <Empty icon="rerun" title="The server has a newer version of this page">
          <Button kind="primary" onClick={() => location.reload()}>
            Load it
          </Button>
        </Empty>
      ) : (
        <ErrorNote error={error} onRetry={() => location.reload()} />
      )}
    </Page>
  )
}

export function Lost() {
  return (
    <Page title="Nothing is here">
      <Empty icon="search" title="There is no such view">
        The address may be from another version. <Link to="/">Home</Link> shows what runs.
      </Empty>
    </Page>
  )
}
