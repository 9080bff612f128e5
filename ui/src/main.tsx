import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "~/app/App"
import { followTheme } from "~/app/theme"
import "~/ui/tokens.css"
import "~/ui/base.css"
import "~/ui/parts.css"
import "~/ui/fields.css"
import "~/ui/table.css"
import "~/ui/overlays.css"
import "~/ui/layout.css"

followTheme()
const root = document.getElementById("root")
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
