"""The pages: FastAPI and Gradio over a desk of callables. Knows no models, no stores and no library."""
