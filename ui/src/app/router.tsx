/** Every view has an address; each is loaded when it is opened. */
import { createBrowserRouter, type RouteObject } from "react-router"
import { definitionRoutes } from "~/definitions/routes"
import { executionRoutes } from "~/execution/routes"
import { Frame } from "./Frame"
import { Lost, RouteError } from "./RouteError"

const routes: RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await import("~/home/HomePage")).HomePage }) },
  {
    path: "executions",
    lazy: async () => ({ Component: (await import("~/executions/ExecutionsPage")).ExecutionsPage }),
  },
  ...executionRoutes,
  ...definitionRoutes,
  { path: "cron/:id?", lazy: async () => ({ Component: (await import("~/triggers/CronPage")).CronPage }) },
  { path: "events", lazy: async () => ({ Component: (await import("~/triggers/EventsPage")).EventsPage }) },
  {
    path: "environments",
    lazy: async () => ({ Component: (await import("~/admin/EnvironmentsPage")).EnvironmentsPage }),
  },
  { path: "secrets", lazy: async () => ({ Component: (await import("~/admin/SecretsPage")).SecretsPage }) },
  { path: "services", lazy: async () => ({ Component: (await import("~/admin/ServicesPage")).ServicesPage }) },
  { path: "tokens", lazy: async () => ({ Component: (await import("~/admin/TokensPage")).TokensPage }) },
  { path: "*", Component: Lost },
]

export const router = createBrowserRouter(
  [
    {
      path: "login",
      lazy: async () => ({ Component: (await import("./LoginPage")).LoginPage }),
      HydrateFallback: Nothing,
      ErrorBoundary: RouteError,
    },
    {
      Component: Frame,
      ErrorBoundary: RouteError,
      HydrateFallback: Nothing,
      children: [{ ErrorBoundary: RouteError, children: routes }],
    },
  ],
  { basename: "/ui" },
)

function Nothing() {
  return null
}
