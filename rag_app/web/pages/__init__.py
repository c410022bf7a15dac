"""The Gradio pages, one file a page. Handlers are a few lines; rendering is pure and lives beside this package."""
