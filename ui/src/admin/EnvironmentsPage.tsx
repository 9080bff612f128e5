import { Page } from "~/ui"

export function EnvironmentsPage() {
  return <Page title="Environments">{null}</Page>
}
