import { Page } from "~/ui"

export function EventsPage() {
  return <Page title="Events">{null}</Page>
}
