/** Addresses of one execution; its parts are loaded when they are opened. */
import type { RouteObject } from "react-router"

export const executionRoutes: RouteObject[] = [
  {
    path: "executions/:id",
    lazy: async () => ({ Component: (await import("./ExecutionPage")).ExecutionPage }),
    children: [
      { index: true, lazy: async () => ({ Component: (await import("./tabs/GraphTab")).GraphTab }) },
      { path: "timeline", lazy: async () => ({ Component: (await import("./tabs/TimelineTab")).TimelineTab }) },
      { path: "tasks", lazy: async () => ({ Component: (await import("./tabs/TasksTab")).TasksTab }) },
      { path: "data", lazy: async () => ({ Component: (await import("./tabs/DataTab")).DataTab }) },
    ],
  },
]
