import { Page } from "~/ui"

export function SecretsPage() {
  return <Page title="Secrets">{null}</Page>
}
