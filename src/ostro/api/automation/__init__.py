"""/automation/v1: lists of API calls, the second front door."""
