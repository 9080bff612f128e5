import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { RouterProvider } from "react-router"
import { ApiError, setUnauthenticatedHandler } from "~/api/client"
import { sessionQuery } from "./session"
import { router } from "./router"

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream tells what changed: nothing is fetched again by time or by focus.
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status === 503),
    },
  },
})

// Asked while the first view is still being loaded.
void queryClient.prefetchQuery(sessionQuery)
setUnauthenticatedHandler(() => void queryClient.invalidateQueries(sessionQuery))

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  )
}
