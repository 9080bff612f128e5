import { Page } from "~/ui"

export function ServicesPage() {
  return <Page title="Services">{null}</Page>
}
