"""Routes beyond Mistral's, for the page, the command line and the Python client: one file each."""
